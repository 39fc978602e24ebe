"""Change rows of tables that the database guards: only to forget a person, and only in one
transaction, at the end of which the guards stand again."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from rewards_service.kit.db import is_postgresql


@contextmanager
def unguarded(session: Session, table: Table) -> Iterator[None]:
    """Without the triggers of a table inside; a rollback brings them back too."""
    if is_postgresql(session):
        session.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        yield
        session.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
        return
    known = session.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"),
        {"name": table.name},
    ).all()
    for name, _ in known:
        session.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in known:
        session.connection().exec_driver_sql(sql)
