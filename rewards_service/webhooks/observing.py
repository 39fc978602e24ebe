"""Observe mode: what would have come of an event, worked out for real and undone (DOMAIN V11).

Each event is tried by itself on the books as they are: an observed payment makes no customer for
the next one to find.
"""

from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer
from rewards_service.kit.db import hold_stage, rehearsal
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks.batch import AnyRow, Batch
from rewards_service.webhooks.consequences import calculate_now
from rewards_service.webhooks.handling import handle

log = structlog.get_logger()

NEW = "new"
_REWARDS = "rewards"  # the stage


def observe(session: Session, batch: Batch, event: AnyRow) -> dict[str, Any]:
    """What one event would have done; nothing is written. It never fails: the error is the answer.

    Returns `outcome`, and what there is of `lead_id`, `deal_ids`, `customer` (key or "new"),
    `transaction`, `rewards` (changes by partner and invoice, minor units), `reason` why none.
    """
    try:
        with rehearsal(session):
            hold_stage(session, _REWARDS)
            found = _rehearse(session, batch, event)
        if found.get("customer") and session.get(Customer, found["customer"]) is None:
            found["customer"] = NEW
    except Exception as problem:
        log.exception("observation_failed", event_id=event.id)
        return {"outcome": None, "error": f"{type(problem).__name__}: {problem}"[:500]}
    return {name: value for name, value in found.items() if value is not None}


def _rehearse(session: Session, batch: Batch, event: AnyRow) -> dict[str, Any]:
    alone = Batch([event], batch.options, {event.id: batch.readings[event.id]}, active=[event])
    handle(session, alone)
    changes = calculate_now(session, alone.due)
    ending = alone.endings[event.id]
    recorded = _transaction(session, ending.results.get("transaction_id"))
    rewards = [
        {
            "partner_id": change.partner_id,
            "amount_minor": change.amount_minor,
            "currency": change.currency,
            "chargebee_invoice_id": change.chargebee_invoice_id,
        }
        for change in changes
        if change.amount_minor
    ]
    return {
        "outcome": ending.outcome,
        "lead_id": ending.results.get("lead_id"),
        "deal_ids": ending.results.get("deal_ids"),
        "customer": ending.results.get("customer_id"),
        "transaction": recorded
        and {
            "chargebee_transaction_id": recorded.chargebee_transaction_id,
            "amount_minor": recorded.amount_minor,
            "currency": recorded.currency,
        },
        "rewards": rewards,
        "reason": recorded.reason if recorded is not None and not rewards else None,
    }


def _transaction(session: Session, key: Any) -> Any:
    if key is None:
        return None
    row = Transaction
    query = select(row.chargebee_transaction_id, row.amount_minor, row.currency, row.reason)
    return session.execute(query.where(row.id == key)).one()
