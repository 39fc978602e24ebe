"""Fetch what arrived events refer to and nobody brought within 15 minutes (DOMAIN M15).

A refund or reversal waits for its payment, a credit note and a payment for their invoices. The
event log is gone through once, in its order, 15 minutes behind its end.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, func, select, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.resources import INVOICE, SUCCESS, TRANSACTION
from rewards_service.crm.models import PaymentClaim
from rewards_service.inbox.models import PENDING, ReceivedEvent, WaitingEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_missing, transaction, upsert
from rewards_service.mirror import queries as mirror
from rewards_service.reconciliation import queries, repairing
from rewards_service.reconciliation.fetching import linked_payments
from rewards_service.reconciliation.models import ParentSearch
from rewards_service.webhooks.processing import parse

PATIENCE = timedelta(minutes=15)
EVERY = timedelta(minutes=1)
STEP = 5_000  # events of the log at a time
PARKED = "parked_missing_parent"
_NOTES = ("credit_note_created", "credit_note_created_with_backdating", "credit_note_updated")


class _Stretch(NamedTuple):
    """Events after one and up to another, of one site."""

    integration_id: int
    after: int
    until: int


def due(session: Session, now: datetime | None = None) -> list[int]:
    """The sites whose event log is to be gone on with."""
    now = now or utc_now()
    query = (
        select(Integration.id)
        .outerjoin(ParentSearch, ParentSearch.integration_id == Integration.id)
        .where(
            Integration.deleted_at.is_(None),
            Integration.api_key_encrypted.is_not(None),
            Integration.mode == "live",
            func.coalesce(ParentSearch.looked_at, Integration.created_at) <= now - EVERY,
        )
        .order_by(Integration.id)
    )
    return list(session.scalars(query))


def look(
    engine: Engine, site: Chargebee, integration_id: int, now: datetime | None = None
) -> tuple[int, bool]:
    """Fetch what the next stretch of the log misses: (events made, whether the log goes on).

    The place in the log is kept once all of the stretch was asked for: an error of Chargebee's
    leaves it, and the next look begins there again. What Chargebee does not have is passed over.
    """
    now = now or utc_now()
    with Session(queries.reading(engine)) as session:
        stretch = _stretch(session, integration_id, now)
        wanted = _wanted(session, stretch)
    for invoice in [name for kind, name in wanted if kind == INVOICE]:
        paid_by = list(linked_payments(site, invoice))
        with Session(queries.reading(engine)) as session:
            wanted |= {(TRANSACTION, name) for name in _unclaimed(session, integration_id, paid_by)}
    # Invoices first: a payment is worth more when what it paid is known.
    made = sum(
        repairing.record(engine, site, integration_id, kind, name) for kind, name in sorted(wanted)
    )
    with transaction(engine) as session:
        row = {
            "integration_id": integration_id, "after_event_id": stretch.until, "looked_at": now
        }  # fmt: skip
        upsert(session, ParentSearch, [row], ("integration_id",))
    return made, stretch.until - stretch.after >= STEP


def wait(session: Session, integration_id: int, until: datetime) -> None:
    """Do not look again before then."""
    nothing_yet = {"integration_id": integration_id, "after_event_id": 0, "looked_at": until}
    insert_missing(session, ParentSearch, [nothing_yet])
    mine = ParentSearch.integration_id == integration_id
    session.execute(update(ParentSearch).where(mine).values(looked_at=until - EVERY))


def _stretch(session: Session, integration_id: int, now: datetime) -> _Stretch:
    event = ReceivedEvent
    held = session.get(ParentSearch, integration_id)
    after = 0 if held is None else held.after_event_id
    old_enough = select(event.id).where(event.received_at <= now - PATIENCE)
    until = session.scalar(old_enough.order_by(event.id.desc()).limit(1)) or after
    waiting = session.scalar(select(func.min(event.id)).where(event.state == PENDING))
    until = min(until, after + STEP, until if waiting is None else waiting - 1)
    return _Stretch(integration_id, after, max(until, after))


def _wanted(session: Session, stretch: _Stretch) -> set[tuple[str, str]]:
    """(kind, id) of what events of the stretch refer to and is not known."""
    site = stretch.integration_id
    payments = _unclaimed(session, site, _parked(session, stretch))
    invoices = {*_noted(session, stretch), *_applied(session, stretch)}
    known = mirror.invoices(session, {(site, name) for name in invoices})
    return {(TRANSACTION, name) for name in payments} | {
        (INVOICE, name) for name in invoices if (site, name) not in known
    }


def _parked(session: Session, stretch: _Stretch) -> list[str]:
    query = (
        select(WaitingEvent.external_id)
        .join(ReceivedEvent, ReceivedEvent.id == WaitingEvent.received_event_id)
        .where(
            _within(WaitingEvent.received_event_id, stretch),
            WaitingEvent.integration_id == stretch.integration_id,
            WaitingEvent.kind == TRANSACTION,
            ReceivedEvent.outcome == PARKED,
        )
    )
    return list(session.scalars(query))


def _unclaimed(session: Session, integration_id: int, payments: list[str]) -> list[str]:
    """Payments that no payment_succeeded told of, unless they are known to have come to nothing."""
    keys = {(integration_id, name) for name in payments}
    books = queries.books_of(session, integration_id, payments)
    held = mirror.transactions(session, keys)
    lost = {key[1] for key, row in held.items() if row.deleted or row.status != SUCCESS}
    return sorted({name for name in payments if name not in books} - lost)


def _noted(session: Session, stretch: _Stretch) -> Iterator[str]:
    """Invoices that credit notes are about."""
    query = select(ReceivedEvent.body).where(
        _within(ReceivedEvent.id, stretch),
        ReceivedEvent.integration_id == stretch.integration_id,
        ReceivedEvent.event_type.in_(_NOTES),
        ReceivedEvent.outcome == "mirrored",
        func.length(ReceivedEvent.body) > 0,
    )
    for body in session.scalars(query):
        name = parse(body)["content"]["credit_note"].get("reference_invoice_id")
        if isinstance(name, str):
            yield name


def _applied(session: Session, stretch: _Stretch) -> Iterator[str]:
    """Invoices that payments were applied to."""
    claim = PaymentClaim
    query = select(claim.chargebee_transaction_id).where(
        _within(claim.received_event_id, stretch), claim.integration_id == stretch.integration_id
    )
    keys = {(stretch.integration_id, name) for name in session.scalars(query)}
    return (row.invoice_id for row in mirror.applications_of(session, keys) if row.applied_minor)


def _within(column: Any, stretch: _Stretch) -> ColumnElement[bool]:
    return and_(column > stretch.after, column <= stretch.until)
