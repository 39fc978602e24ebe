"""What people look at before they decide: near-misses of an event, money at stake in a conflict."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import read_event
from rewards_service.crm import deciding
from rewards_service.crm.matching import Payer
from rewards_service.crm.near_misses import NearMisses, near_misses
from rewards_service.crm.queries import claims_of_events
from rewards_service.inbox.listing import get_event
from rewards_service.inbox.models import PURGED
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.webhooks.processing import parse


def near_misses_of(session: Session, event_key: int) -> tuple[int | None, NearMisses]:
    """(customer whose the payment is, what it almost matched). Raises NotFound."""
    event = get_event(session, event_key)
    claim = claims_of_events(session, [event.id]).get(event.id)
    if claim is not None:
        owner = deciding.owner_of(session, claim.payer)
        payer = claim.payer if owner is None else None
        return owner, near_misses(session, claim.email_key, claim.paid_at, payer)
    if event.body == PURGED:
        return None, near_misses(session, None, None, None)
    payment = read_event(event.event_type, parse(event.body), len(event.body)).payment
    if payment is None:
        return None, near_misses(session, None, None, None)
    owner = deciding.owner_of(session, Payer(event.integration_id, payment.customer_id))
    return owner, near_misses(session, payment.email_key, payment.paid_at, None)


def on_hold(session: Session, customer_ids: Collection[int]) -> dict[str, int]:
    """Currency -> the sum of these customers' rewards that are on hold, minor units."""
    query = (
        select(Reward.currency, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(Reward.customer_id.in_(sorted(customer_ids)), Reward.status == "hold")
        .group_by(Reward.currency)
        .order_by(Reward.currency)
    )
    return {currency: int(total) for currency, total in session.execute(query)}
