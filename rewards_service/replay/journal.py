"""The audit log as the journal of what people decided: undone before a replay, done in its course.

Entries whose detail holds `before` and `after` speak for themselves. What moves more than that is
done by the service function that did it the first time (`deciding.ACTIONS`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Engine, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, DealShare, Lead
from rewards_service.kit.db import Base, UtcDateTime, table_of, transaction
from rewards_service.partners.models import Enrolment
from rewards_service.programs.models import Program, RewardRule
from rewards_service.replay import addresses
from rewards_service.replay.copying import CREATED
from rewards_service.replay.moments import DECISION, PAGE, Moment
from rewards_service.replay.tables import MOMENTS

Detail = Mapping[str, Any]

# Columns of a subject that people change and that bear on money.
COLUMNS: Mapping[str, tuple[type[Base], frozenset[str]]] = {
    "program": (Program, frozenset({"timezone", "approval", "inactive_partners"})),
    "reward_rule": (RewardRule, frozenset({"level_id"})),
    "lead": (Lead, frozenset({"status", "partner_id", "registered_at"})),
    "deal": (Deal, frozenset({"stage", "partner_id", "registered_at"})),
}
# Rows that belong to a subject and are replaced as a whole: model, the column that names the
# subject, and the columns of a row that is no object.
PARTS: Mapping[tuple[str, str], tuple[type[Base], str, tuple[str, ...]]] = {
    ("partner", "enrolments"): (Enrolment, "partner_id", ()),
    ("deal", "shares"): (DealShare, "deal_id", ("partner_id", "basis_points")),
}


def undo(engine: Engine) -> None:
    """Take back, newest first, what people changed after they had entered it."""
    with transaction(engine) as session:
        for moment in _newest_first(session):
            detail = orjson.loads(moment.detail)
            if moment.action == CREATED:
                _undo_creation(session, moment.subject_id, detail["after"])
            elif moment.action == "customer.source_changed":
                _undo_source(session, moment.subject_id, detail["before"])
            else:
                _put(session, moment, detail.get("before"))
                addresses.undo(session, moment.subject_kind, moment.subject_id, detail)


def redo(session: Session, moment: Moment, detail: Detail) -> None:
    """Do what an entry says that speaks for itself."""
    _put(session, moment, detail.get("after"))
    addresses.redo(session, moment.subject_kind, moment.subject_id, detail)


def _newest_first(session: Session) -> Iterator[Moment]:
    last: int | None = None
    while True:
        query = select(MOMENTS).where(MOMENTS.c.rank == DECISION).order_by(MOMENTS.c.ref.desc())
        if last is not None:
            query = query.where(MOMENTS.c.ref < last)
        rows = session.execute(query.limit(PAGE)).all()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1].ref


def _undo_creation(session: Session, key: int, after: Detail) -> None:
    partner_id = after["source_partner_id"]
    values = {"source_partner_id": partner_id, "source_by_hand": partner_id is not None}
    _set(session, table_of(Customer), key, values)


def _undo_source(session: Session, key: int, before: Detail) -> None:
    """What it was before; unless its creation says otherwise, it was the machine's."""
    partner_id = None if before.get("source_deal_id") else before["source_partner_id"]
    values = {"source_partner_id": partner_id, "source_by_hand": False}
    _set(session, table_of(Customer), key, values)


def _put(session: Session, moment: Moment, state: Any) -> None:
    """Give a subject the state that an entry holds, as far as it bears on money."""
    if not isinstance(state, dict):
        return
    model, names = COLUMNS.get(moment.subject_kind, (None, frozenset()))
    if model is not None:
        table = table_of(model)
        values = {name: _value(table, name, state[name]) for name in names & state.keys()}
        _set(session, table, moment.subject_id, values)
    for (kind, part), (rows_of, owner, names_of_row) in PARTS.items():
        if kind == moment.subject_kind and part in state:
            rows = [row if isinstance(row, dict) else dict(zip(names_of_row, row, strict=True))
                    for row in state[part]]  # fmt: skip
            _replace(session, table_of(rows_of), owner, moment.subject_id, rows)


def _replace(
    session: Session, table: Table, owner: str, key: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    wanted = [
        {name: _value(table, name, value) for name, value in row.items() if name in table.c}
        for row in rows
    ]
    # What stays keeps its row: it was entered when it was entered.
    for known in session.execute(select(table).where(table.c[owner] == key)).mappings().all():
        same = next((w for w in wanted if all(known[name] == w[name] for name in w)), None)
        if same is not None:
            wanted.remove(same)
        else:
            keys = [column == known[column.name] for column in table.primary_key.columns]
            session.execute(delete(table).where(*keys))
    for values in wanted:
        session.execute(insert(table).values(**{**values, owner: key}))


def _set(session: Session, table: Table, key: int, values: Mapping[str, Any]) -> None:
    if values:
        session.execute(update(table).where(table.c.id == key).values(**values))


def _value(table: Table, name: str, value: Any) -> Any:
    if isinstance(table.c[name].type, UtcDateTime) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
