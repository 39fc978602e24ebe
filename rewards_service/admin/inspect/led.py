"""What an event led to: lead, customer, deals, transaction, rewards."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.inbox import listing
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.partners.models import Partner
from rewards_service.rewards.listing import Entry, entries_of
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction

SHOWN = 20  # deals and rewards


class Earned(NamedTuple):
    """A reward on an invoice that the payment paid, with its entries and its partner's name."""

    reward: Reward
    entries: Sequence[Entry]
    partner: str

    @property
    def amount_minor(self) -> int:
        return sum(entry.amount_minor for entry in self.entries)


class Led(NamedTuple):
    """What an event led to, as far as it is there."""

    lead: Lead | None
    customer: Customer | None
    deals: Sequence[Deal]
    transaction: Transaction | None
    rewards: Sequence[Earned]


def load(session: Session, event: ReceivedEvent) -> Led:
    """What came of an event, of many things the first."""
    found = event.results or {}
    deals = list(found.get("deal_ids") or [])[:SHOWN]
    transaction = session.get(Transaction, found.get("transaction_id") or 0)
    return Led(
        session.get(Lead, found.get("lead_id") or 0),
        session.get(Customer, found.get("customer_id") or 0),
        session.scalars(select(Deal).where(Deal.id.in_(deals)).order_by(Deal.id)).all(),
        transaction,
        _earned(session, listing.rewards_of_events(session, [event]).get(event.id, [])),
    )


def _earned(session: Session, keys: Sequence[int]) -> list[Earned]:
    some = keys[:SHOWN]
    rows = session.scalars(select(Reward).where(Reward.id.in_(some)).order_by(Reward.id)).all()
    entries = entries_of(session, some)
    names = names_of(session, {row.partner_id for row in rows})
    return [Earned(row, entries[row.id], names.get(row.partner_id, "?")) for row in rows]


def names_of(session: Session, partner_ids: set[int]) -> dict[int, str]:
    """Partner -> name."""
    query: Any = select(Partner.id, Partner.name).where(Partner.id.in_(partner_ids))
    return {key: name for key, name in session.execute(query)}  # noqa: C416
