"""What a migration may not do to a table that is in use: told by the statements it sends."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

_TABLE = r'(?:"?public"?\.)?"?(\w+)"?'
_MADE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{_TABLE}", re.IGNORECASE)
# Pattern whose first group is the table, and why it keeps writers waiting.
_FORBIDDEN = (
    (rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).* ON (?:ONLY )?{_TABLE}",
     "an index that is not built concurrently: kit.schema.build_index"),
    (rf"ALTER TABLE {_TABLE} .*\bALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b",
     "a change of type, which writes the table anew"),
    (rf"ALTER TABLE {_TABLE} .*\bSET NOT NULL",
     "NOT NULL, which reads the table under a lock: kit.schema.add_rule"),
    (rf"ALTER TABLE {_TABLE} ADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL",
     "a column that old code cannot leave out"),
    (rf"ALTER TABLE {_TABLE} ADD COLUMN .*\b(?:GENERATED|(?:BIG)?SERIAL|random|clock_timestamp)\b",
     "a column whose values are worked out row by row, which writes the table anew"),
    (rf"ALTER TABLE {_TABLE} ADD CONSTRAINT (?!.*NOT VALID)(?!.*USING INDEX)",
     "a rule that is checked under a lock: kit.schema.add_rule"),
    (rf"UPDATE {_TABLE} ", "rows changed in one go: leave that to a job, in steps"),
)  # fmt: skip
# Old code runs on: what it uses goes away one release later, and the migration says so.
_CONTRACTING = (
    (rf"ALTER TABLE {_TABLE} .*\bDROP (?:COLUMN )?(?!CONSTRAINT|DEFAULT|NOT)",
     "takes a column from old code"),
    (rf"DROP TABLE (?:IF EXISTS )?{_TABLE}", "takes a table from old code"),
    (rf"ALTER TABLE {_TABLE} .*\bRENAME\b", "renames what old code uses"),
)  # fmt: skip
_OURS = ("alembic_version",)


def offences(statements: Sequence[str], contracts: bool = False) -> list[str]:
    """Why these statements of one migration must not run beside old code and under load.

    contracts: the migration takes away what no supported release uses any more.
    """
    made = {new[1].lower() for text in statements if (new := _MADE.match(_flat(text)))}
    rules = _FORBIDDEN if contracts else (*_FORBIDDEN, *_CONTRACTING)
    found = []
    for statement in map(_flat, statements):
        for pattern, why in rules:
            hit = re.match(pattern, statement, re.IGNORECASE)
            if hit and hit[1].lower() not in {*made, *_OURS}:
                found.append(f"{why}: {statement[:120]}")
                break
    return found


def _flat(statement: str) -> str:
    return " ".join(statement.split())


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Every statement that any engine sends meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)
