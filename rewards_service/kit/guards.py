"""Triggers by which the database itself refuses to change append-only tables; for migrations."""

from collections.abc import Sequence
from typing import Any


def guard(op: Any, tables: Sequence[str]) -> None:
    """Refuse UPDATE and DELETE on tables; on PostgreSQL by the function of migration 0002."""
    for table in tables:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            continue
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER append_only_{table}_{action} BEFORE {action.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: add a row, do not change or "
                "delete one.'); END"
            )


def unguard(op: Any, tables: Sequence[str]) -> None:
    """Take the triggers of `guard` away."""
    for table in tables:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER append_only ON {table}")
            continue
        for action in ("update", "delete"):
            op.execute(f"DROP TRIGGER append_only_{table}_{action}")
