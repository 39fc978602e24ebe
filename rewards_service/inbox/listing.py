"""Pages of the event log, and the rewards that events led to."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, select
from sqlalchemy.orm import Session, undefer

from rewards_service.inbox.models import DEAD, NEEDS_A_PERSON, QUARANTINED, ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.bulk import among
from rewards_service.kit.db import Base
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch

FILTERS = ("integration_id", "event_id", "event_type", "source", "outcome")


def in_state(state: str) -> ColumnElement[bool]:
    """Whether an event is in a state, in words that let the index of rare states serve."""
    is_it = ReceivedEvent.state == literal(state, literal_execute=True)
    return and_(is_it, NEEDS_A_PERSON) if state in (QUARANTINED, DEAD) else is_it


def list_events(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """A page of events.

    wanted: any of FILTERS, `state`, `keys`, `received_from`, `received_before`.
    """
    query = select(ReceivedEvent)
    if "keys" in wanted:
        query = query.where(among(session, ReceivedEvent.id, sorted(wanted["keys"])))
    for name in FILTERS:
        if name in wanted:
            query = query.where(getattr(ReceivedEvent, name) == wanted[name])
    if "state" in wanted:
        query = query.where(in_state(wanted["state"]))
    if "event_id" in wanted:  # the index begins with the site
        query = query.where(ReceivedEvent.integration_id.in_(select(Integration.id)))
    if "received_from" in wanted:
        query = query.where(ReceivedEvent.received_at >= wanted["received_from"])
    if "received_before" in wanted:
        query = query.where(ReceivedEvent.received_at < wanted["received_before"])
    in_time = "received_from" in wanted or "received_before" in wanted
    return fetch(
        session, query, ReceivedEvent.id, paging, ReceivedEvent.received_at if in_time else None
    )


def get_event(session: Session, event_id: int) -> ReceivedEvent:
    """An event with its body. Raises NotFound."""
    found = session.get(ReceivedEvent, event_id, options=[undefer(ReceivedEvent.body)])
    if found is None:
        raise NotFound("There is no such event.")
    return found


def rewards_of_transactions(
    session: Session, transaction_ids: Collection[int], own: int | None = None
) -> dict[int, list[int]]:
    """Transaction -> rewards on the invoices it paid; `own`: those of this partner.

    All three live above, hence by name.
    """
    tables = Base.metadata.tables
    payment, reward = tables["transactions"].c, tables["rewards"].c
    applied = tables["chargebee_payment_applications"].c
    same_payment = and_(
        applied.integration_id == payment.integration_id,
        applied.transaction_id == payment.chargebee_transaction_id,
    )
    same_invoice = and_(
        reward.integration_id == applied.integration_id, reward.invoice_id == applied.invoice_id
    )
    query = (
        select(payment.id, reward.id)
        .select_from(tables["transactions"])
        .join(tables["chargebee_payment_applications"], same_payment)
        .join(tables["rewards"], same_invoice)
        .where(payment.id.in_(sorted(transaction_ids)))
        .order_by(payment.id, reward.id)
    )
    if own is not None:
        query = query.where(reward.partner_id == own)
    found: dict[int, list[int]] = defaultdict(list)
    for transaction_id, reward_id in session.execute(query):
        found[transaction_id].append(reward_id)
    return found


def rewards_of_events(session: Session, events: Sequence[ReceivedEvent]) -> dict[int, list[int]]:
    """Event -> rewards of the transaction it recorded or took back."""
    meant = {
        event.id: event.results["transaction_id"]
        for event in events
        if event.results and event.results.get("transaction_id")
    }
    found = rewards_of_transactions(session, set(meant.values()))
    return {event_id: found[transaction] for event_id, transaction in meant.items()}
