"""What is held here of a site: page by page in the order of dates, by id, and what is held up."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Engine, and_, literal, or_, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import CREDIT_NOTE, TRANSACTION
from rewards_service.crm import queries as crm
from rewards_service.crm.matching import Claim
from rewards_service.inbox.models import BACKFILL, DEAD, PENDING, QUARANTINED, ReceivedEvent
from rewards_service.kit.db import READ_ONLY, chunks, fetch_rows, table_of
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.mirror.service import MODELS
from rewards_service.reconciliation.judging import Books
from rewards_service.reconciliation.sides import KINDS, Side, ours
from rewards_service.transactions import queries as transactions

PAGE = 500


class Blamed(NamedTuple):
    """An event that arrived and has not had its effect."""

    id: int
    state: str
    outcome: str | None
    error: str | None


def reading(engine: Engine) -> Engine:
    """Takes no lock on SQLite."""
    return engine.execution_options(**{READ_ONLY: True})


def held(
    engine: Engine, section: str, integration_id: int, from_at: datetime, before_at: datetime
) -> Iterator[Side]:
    """The site's objects by date, then id; each page in a transaction of its own."""
    model = MODELS[section]
    after: tuple[datetime, str] | None = None
    while True:
        query = select(table_of(model)).where(
            model.integration_id == integration_id,
            model.dated_at >= from_at,
            model.dated_at < before_at,
        )
        if section == TRANSACTION:
            query = query.where(model.kind.in_(KINDS))
        if after is not None:
            at, key = after
            later = and_(model.dated_at == at, model.external_id > key)
            query = query.where(or_(model.dated_at > at, later))
        query = query.order_by(model.dated_at, model.external_id).limit(PAGE)
        with Session(reading(engine)) as session:
            rows = fetch_rows(session, query)
            sides = _sides(session, section, rows)
        yield from sides
        if len(rows) < PAGE:
            return
        after = rows[-1].dated_at, rows[-1].external_id


def by_id(
    session: Session, section: str, integration_id: int, ids: Collection[str]
) -> dict[str, Side]:
    """The same by Chargebee's ids, whatever their date."""
    rows = mirror.newest(session, MODELS[section], {(integration_id, name) for name in ids})
    dated = [row for row in rows.values() if row.dated_at is not None]
    return {side.external_id: side for side in _sides(session, section, dated)}


def _sides(session: Session, section: str, rows: Collection[Any]) -> list[Side]:
    applied: dict[str, dict[str, int]] = defaultdict(dict)
    if section == TRANSACTION:
        keys = {(row.integration_id, row.external_id) for row in rows}
        for row in mirror.applications_of(session, keys):
            if row.applied_minor:
                applied[row.transaction_id][row.invoice_id] = row.applied_minor
    return [ours(section, row, applied[row.external_id]) for row in rows]


def books_of(session: Session, integration_id: int, ids: Collection[str]) -> dict[str, Books]:
    """What became of payments, by id; without those whose payment_succeeded is not known."""
    keys = {(integration_id, name) for name in ids}
    claims: dict[int, Claim] = {}
    crm.add_claims_of_transactions(session, keys, claims)
    recorded = transactions.by_chargebee_id(session, keys)
    found: dict[str, Books] = {}
    for claim in claims.values():
        name = claim.transaction_id
        row = recorded.get((integration_id, name))
        before = found.get(name, Books(False, False))
        found[name] = Books(
            before.wanted or claim.create_transaction,
            before.has_email or claim.email_key is not None,
            False,
            *(() if row is None else (row.amount_minor, row.currency, row.reason)),
        )
    return found


def told_of(session: Session, integration_id: int, ids: Collection[str]) -> set[str]:
    """Those of these transactions that an event of Chargebee's own told of."""
    version = ChargebeeVersion
    query = (
        select(version.integration_id, version.external_id)
        .join(ReceivedEvent, ReceivedEvent.id == version.received_event_id)
        .where(version.kind == TRANSACTION, ReceivedEvent.source != BACKFILL)
    )
    keys = {(integration_id, name) for name in ids}
    rows = mirror.select_by(session, query, version.integration_id, version.external_id, keys)
    return {row.external_id for row in rows}


def blamed(
    session: Session, integration_id: int, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Blamed]:
    """(section, id) -> an event about it that waits, gave up or is quarantined.

    Such events are few, and nothing but their bodies tells what they are about: each is read.
    """
    left, found = set(wanted), {}
    for state in (PENDING, DEAD, QUARANTINED):  # as a literal, which finds the state's index
        query = (
            select(table_of(ReceivedEvent))
            .where(
                ReceivedEvent.state == literal(state, literal_execute=True),
                ReceivedEvent.integration_id == integration_id,
            )
            .order_by(ReceivedEvent.id)
        )
        if not left:
            break
        for row in session.connection().execute(query.execution_options(yield_per=PAGE)):
            for key in _about(row.body) & left:
                found[key] = Blamed(row.id, row.state, row.outcome, row.error)
        left -= found.keys()
    return found


def told_by(
    session: Session, integration_id: int, event_ids: Collection[str]
) -> set[tuple[str, str]]:
    """(section, id) of the transactions and credit notes that these events tell of."""
    found: set[tuple[str, str]] = set()
    for some in chunks(list(event_ids), PAGE):
        query = select(ReceivedEvent.body).where(
            ReceivedEvent.integration_id == integration_id, ReceivedEvent.event_id.in_(some)
        )
        for body in session.scalars(query):
            found |= _about(body)
    return found


def _about(body: bytes) -> set[tuple[str, str]]:
    """The transactions and credit notes in an event's content."""
    try:
        content = orjson.loads(body)["content"]
        objects = {section: content.get(section) for section in (TRANSACTION, CREDIT_NOTE)}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return set()
    return {
        (section, value["id"])
        for section, value in objects.items()
        if isinstance(value, dict) and isinstance(value.get("id"), str)
    }
