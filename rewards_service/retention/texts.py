"""Texts in any table: found and rewritten by what they hold, whatever they are for."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    LargeBinary,
    String,
    Table,
    Text,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from rewards_service.kit import crypto
from rewards_service.kit.db import Base
from rewards_service.kit.sealed import SUFFIX
from rewards_service.retention.bodies import holds
from rewards_service.retention.person import Person
from rewards_service.retention.unguarded import unguarded

# Rewritten by functions of their own; and files that are kept because of the law.
ELSEWHERE = frozenset({"audit_entries"})
NAMES_OF_OTHERS = frozenset({"partners", "programs", "users", "integrations"})
FILES = {"payout_exports": "content", "payout_invoices": "content"}


def rewrite(session: Session, person: Person) -> Counter[str]:
    """Take the person out of every text of every table; how many rows, by table."""
    changed: Counter[str] = Counter()
    for table in Base.metadata.sorted_tables:
        rows = [] if table.name in ELSEWHERE else list(found(session, table, person))
        if not rows:
            continue
        with unguarded(session, table):
            for row in rows:
                values = _fresh(table, row, person)
                if values:
                    own = [column == getattr(row, column.name) for column in table.primary_key]
                    kept = {one: one for one in table.columns if one.onupdate is not None}
                    session.execute(sql_update(table).where(*own).values({**kept, **values}))
                    changed[str(table.name)] += 1
    return changed


def found(session: Session, table: Table, person: Person) -> Iterator[Any]:
    """The rows of a table of which a text holds the person."""
    columns = [one for one in table.columns if _is_text(one)]
    if columns:
        needles = _needles(table, person)
        condition = or_(*(_holds(column, needle) for column in columns for needle in needles))
        # Whole rows, but not their bodies.
        plain = [one for one in table.columns if not isinstance(one.type, LargeBinary)
                 or one.primary_key]  # fmt: skip
        yield from session.execute(select(*plain).where(condition)).all()


def left(session: Session, person: Person) -> list[str]:
    """Columns that still hold the person, as table.column."""
    known = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if table.name in FILES:
                continue
            if _is_text(column):
                condition = or_(*(_holds(column, one) for one in _needles(table, person)))
            elif isinstance(column.type, LargeBinary) and column.name == "body":
                texts = [one.encode() for one in person.needles]
                condition = holds(session, column, texts)
            else:
                continue
            if session.execute(select(1).select_from(table).where(condition).limit(1)).first():
                known.append(f"{table.name}.{column.name}")
    return known


def rewrite_sealed(session: Session, person: Person, keys: tuple[str, ...]) -> int:
    """The same for answers that are kept sealed for a day."""
    table = Base.metadata.tables["kept_answers"]
    column = table.c[f"body{SUFFIX}"]
    (own,) = table.primary_key.columns
    changed = 0
    for key, sealed in session.execute(select(own, column).where(column.is_not(None))).all():
        text = crypto.decrypt(keys, sealed)
        if (fresh := person.scrub(text)) != text:
            values = {column: crypto.encrypt(keys, fresh)}
            session.execute(sql_update(table).where(own == key).values(values))
            changed += 1
    return changed


def _needles(table: Table, person: Person) -> list[str]:
    return [one for one in person.needles if "@" in one or table.name not in NAMES_OF_OTHERS]


def _is_text(column: Any) -> bool:
    return isinstance(column.type, String | JSON) and not column.name.endswith(SUFFIX)


def _holds(column: Any, needle: str) -> ColumnElement[bool]:
    text = func.lower(cast(column, Text)) if isinstance(column.type, JSON) else func.lower(column)
    spelled = {needle.lower(), needle}
    if isinstance(column.type, JSON):
        spelled |= {json.dumps(one)[1:-1] for one in spelled}
    return or_(*(text.contains(one, autoescape=True) for one in sorted(spelled)))


def _fresh(table: Table, row: Any, person: Person) -> dict[Any, Any]:
    values = {}
    for column in table.columns:
        if _is_text(column) and column.computed is None:
            held = getattr(row, column.name)
            fresh = person.scrub_value(held)
            if fresh != held:
                values[column] = fresh
    return values
