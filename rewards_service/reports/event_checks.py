"""Invariants of the event log and of the options that events are judged by."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import PaymentClaim
from rewards_service.inbox.models import (
    DONE,
    OUTCOMES,
    PENDING,
    QUARANTINED,
    STATES,
    ReceivedEvent,
)
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.integrations.options import MODES, Options
from rewards_service.kit.db import database_now
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.reports.findings import Finding, Invariant, about, each, pages
from rewards_service.transactions.models import Transaction

LATE = timedelta(seconds=60)
UNSAFE = ("bad_payload", "api_v1", "customer_mismatch", "verification_failed")
SILENT = ("observed", "ignored", "all_off")
_BODIES = 200
_CARD = re.compile(rb'"card"\s*:')


def _repeated(session: Session) -> Iterator[Finding]:
    """I2: no (integration, event id) twice."""
    same = (ReceivedEvent.integration_id, ReceivedEvent.event_id)
    first = func.min(ReceivedEvent.id)
    query = select(first, ReceivedEvent.event_id, func.count()).group_by(*same)
    query = query.having(func.count() > 1)
    return each(session, query, "event", "Event {0} is recorded {1} times.")


def _not_ended(session: Session) -> Iterator[Finding]:
    """I3, V11: each event is in one state, and what has ended has an outcome of the closed list."""
    event = ReceivedEvent
    columns = (event.id, event.state, event.outcome)
    outcome = func.coalesce(event.outcome, "none")
    unlawful = or_(
        event.state.not_in(STATES),
        and_(event.state == DONE, or_(outcome.not_in(OUTCOMES), outcome.in_(UNSAFE))),
        and_(event.state == QUARANTINED, outcome.not_in(UNSAFE)),
        and_(event.state.in_((DONE, QUARANTINED)), event.finished_at.is_(None)),
    )
    query = select(*columns).where(unlawful)
    return each(session, query, "event", "State {0} does not go with outcome {1}.")


def _overdue(session: Session) -> Iterator[Finding]:
    """I15: no event is leased longer than a minute beyond its lease; none that ended is leased."""
    event = ReceivedEvent
    late = event.lease_until < database_now(session) - LATE
    query = select(event.id, event.state, event.lease_until).where(
        event.lease_until.is_not(None), or_(late, event.state != PENDING)
    )
    return each(session, query, "event", "In state {0} it is leased until {1}.")


def _unlawful_options(session: Session) -> Iterator[Finding]:
    """M12, M13: every set of options is lawful, and events point to one of their integration."""
    for model in (Integration, IntegrationOptions):
        yield from _unlawful(session, model)
    yield from _not_in_force(session)
    options = IntegrationOptions
    query = (
        select(ReceivedEvent.id)
        .outerjoin(options, options.id == ReceivedEvent.options_id)
        .where(func.coalesce(options.integration_id, 0) != ReceivedEvent.integration_id)
    )
    yield from each(session, query, "event", "Its options are not those of its integration.")


def _unlawful(session: Session, model: Any) -> Iterator[Finding]:
    key = model.id if model is Integration else model.integration_id
    alone = and_(model.create_transaction, ~model.convert_lead, ~model.associate_deal)
    query = select(key).where(or_(alone, model.mode.not_in(MODES)))
    detail = "Transactions are on without an option that finds customers, or the mode is unknown."
    return each(session, query, "integration", detail)


def _not_in_force(session: Session) -> Iterator[Finding]:
    options = IntegrationOptions
    differs = [getattr(Integration, name) != getattr(options, name) for name in Options._fields]
    query = (
        select(Integration.id)
        .outerjoin(options, options.id == Integration.options_id)
        .where(
            or_(options.id.is_(None), options.integration_id != Integration.id, *differs),
        )
    )
    return each(session, query, "integration", "Its options are not the version in force.")


def _with_card(session: Session) -> Iterator[Finding]:
    """I19: no stored body carries a card."""
    query = select(ReceivedEvent.id, ReceivedEvent.body)
    for page in pages(session, query, _BODIES):
        for key, body in page:
            if _CARD.search(body) and _has_card(body):
                yield about("event", key, "Its stored body holds content.card.")


def _has_card(body: bytes) -> bool:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:  # a lone surrogate: then the words above must do
        return True
    content = value.get("content") if isinstance(value, dict) else None
    return isinstance(content, dict) and "card" in content


def _not_silent(session: Session) -> Iterator[Finding]:
    """V11: an observed, ignored or quarantined event writes nothing but itself."""
    silent = or_(ReceivedEvent.outcome.in_(SILENT), ReceivedEvent.state == QUARANTINED)
    left = (
        (PaymentClaim, "a payment to match"),
        (ChargebeeVersion, "a version of a Chargebee object"),
        (Transaction, "a transaction"),
    )
    for model, what in left:
        query = (
            select(ReceivedEvent.id, ReceivedEvent.outcome)
            .join(model, model.received_event_id == ReceivedEvent.id)
            .where(silent)
            .distinct()
        )
        yield from each(session, query, "event", f"Its outcome is {{0}}, but it left {what}.")


INVARIANTS = (
    Invariant("events_once", "Each event is recorded once.", _repeated),
    Invariant("events_ended", "Each event has a lawful state and outcome.", _not_ended),
    Invariant("events_silent", "Events that are to leave nothing left nothing.", _not_silent),
    Invariant("leases", "No lease is overdue.", _overdue),
    Invariant("options", "Options of integrations are lawful and kept.", _unlawful_options),
    Invariant("no_card_data", "No stored event holds card data.", _with_card),
)
