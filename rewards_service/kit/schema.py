"""Steps of migrations that let everybody go on writing. For PostgreSQL; SQLite does the plain step.

Each may be repeated: a migration that was killed half-way is run again from its beginning.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import Column, Connection, text
from sqlalchemy.sql.elements import ColumnElement

Columns = Sequence[str | ColumnElement[Any]]

_IS_BROKEN = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)::oid")


def add_column(table: str, column: Column[Any]) -> None:
    """A column that old code leaves out: it may be null, or has a constant default."""
    op.add_column(table, column, if_not_exists=_on_postgresql() or None)


def build_index(name: str, table: str, columns: Columns, **options: Any) -> None:
    """An index on a table that is in use, built while it is written to.

    What a killed build left behind counts as no index, but is in the way: it is dropped first.
    """
    if not _on_postgresql():
        op.create_index(name, table, list(columns), if_not_exists=True, **options)
        return
    with _outside_transaction() as connection:
        if connection.execute(_IS_BROKEN, {"name": name}).scalar_one_or_none():
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(
            name, table, list(columns), if_not_exists=True, postgresql_concurrently=True, **options
        )


def remove_index(name: str, table: str) -> None:
    """Drop an index while its table is in use."""
    if not _on_postgresql():
        op.drop_index(name, table, if_exists=True)
        return
    with _outside_transaction():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def add_rule(name: str, table: str, condition: str) -> None:
    """A CHECK constraint; existing rows are looked through without keeping anybody waiting.

    SQLite cannot add one to a table that is there: it does without.
    """
    if not _on_postgresql():
        return
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    with _outside_transaction():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


@contextmanager
def _outside_transaction() -> Iterator[Connection]:
    """Commit what was done so far. Within, waits may be long: nobody waits behind us."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        before = connection.execute(text("SHOW lock_timeout")).scalar_one()
        connection.execute(text("SET lock_timeout = 0"))
        try:
            yield connection
        finally:
            connection.execute(text(f"SET lock_timeout = '{before}'"))
