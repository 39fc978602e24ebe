"""Many runs of one history side by side in one database: each with a site and people of its own.

A lane's e-mails carry its number, so that no lane can see another; its events do not differ
otherwise. Handling all lanes in common batches makes hundreds of orders affordable.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.partners.models import Partner
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import Json
from tests.builders.site import Site
from tests.builders.world import World

Facts = dict[str, list[tuple[Any, ...]]]


class Lane:
    """One run of a history: `email(name)` is this lane's spelling of a person's address."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.site: Site = world.connect(f"lane-{number}")

    def email(self, name: str) -> str:
        return f"{name}@lane-{self.number}.example"

    def partner(self, name: str) -> int:
        return self.world.partner(f"{name}-{self.number}")

    def accept(self, body: Json) -> None:
        """Post an event; `@lane` in it stands for the lane's own mail domain."""
        text = json.dumps(body).replace("@lane", f"@lane-{self.number}.example")
        self.site.accept(text.encode())

    def facts(self) -> Facts:
        """What the books say of this lane, by natural keys, the lane's number left out."""
        with Session(self.world.engine) as session:
            return {
                "events": self._rows(session, _EVENTS, ReceivedEvent.integration_id),
                "customers": self._rows(session, _CUSTOMERS, PropertyValue.integration_id),
                "transactions": self._rows(session, _TRANSACTIONS, Transaction.integration_id),
                "rewards": self._rows(session, _REWARDS, Reward.integration_id),
                "leads": self._mine(session, _LEADS),
                "deals": self._mine(session, _DEALS),
            }

    def _rows(self, session: Session, query: Any, site: Any) -> list[tuple[Any, ...]]:
        return self._plain(session.execute(query.where(site == self.site.id)))

    def _mine(self, session: Session, query: Any) -> list[tuple[Any, ...]]:
        rows = session.execute(query)
        return self._plain(row for row in rows if str(row[0]).endswith(self.email("")))

    def _plain(self, rows: Iterable[Any]) -> list[tuple[Any, ...]]:
        suffix = f"-{self.number}"
        plain = [
            tuple(v.replace(suffix, "") if isinstance(v, str) else v for v in row) for row in rows
        ]
        return sorted(plain, key=repr)


_EVENTS = select(ReceivedEvent.event_id, ReceivedEvent.state, ReceivedEvent.outcome)
_CUSTOMERS = (
    select(
        PropertyValue.value, Customer.email, Partner.name, Customer.attributed_from,
        Customer.hold_reason, Customer.withdrawn_at,
    )
    .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
    .join(Customer, Customer.id == PropertyValue.subject_id)
    .outerjoin(Partner, Partner.id == Customer.source_partner_id)
    .where(PropertyDefinition.key == CUSTOMER_ID)
)  # fmt: skip
_TRANSACTIONS = (
    select(
        Transaction.chargebee_transaction_id, Transaction.amount_minor, Transaction.status,
        Transaction.refunded_minor, Transaction.reason, Partner.name,
    )
    .outerjoin(Partner, Partner.id == Transaction.partner_id)
    .where(Transaction.withdrawn_at.is_(None))
)  # fmt: skip
_POSTED = (
    select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor).label("amount"))
    .group_by(LedgerEntry.reward_id)
    .having(func.sum(LedgerEntry.amount_minor) != 0)
    .subquery()
)
_REWARDS = (
    select(
        Reward.invoice_id, Reward.rule_version_id, Partner.name, Reward.status, Reward.hold_reason,
        Reward.available_on, _POSTED.c.amount,
    )
    .join(_POSTED, _POSTED.c.reward_id == Reward.id)
    .join(Partner, Partner.id == Reward.partner_id)
)  # fmt: skip
_LEADS = select(Lead.email, Lead.status, Lead.converted_at, Lead.superseded_by_id.is_not(None))
_DEALS = select(Deal.contact_email, Deal.associated_at)

Setup = Callable[[Lane], None]


def run_orders(
    world: World, setup: Setup, history: Sequence[Json], orders: Iterable[Sequence[int]], step: int
) -> dict[tuple[int, ...], Facts]:
    """Play a history in each order, each in a lane of its own; the facts by order.

    `step`: after how many events of each lane everything due is handled.
    """
    lanes = []
    for number, order in enumerate(orders):
        lane = Lane(world, number)
        setup(lane)
        lanes.append((tuple(order), lane))
    for place in range(len(history)):
        for order, lane in lanes:
            lane.accept(history[order[place]])
        if (place + 1) % step == 0:
            world.drain()
    world.drain()
    return {order: lane.facts() for order, lane in lanes}


def disagreements(found: dict[tuple[int, ...], Facts]) -> dict[Any, Any]:
    """Order -> what it says otherwise than the first order, by table: (missing, extra)."""
    first = next(iter(found.values()))
    wrong = {}
    for order, facts in found.items():
        parts = {
            name: (
                [row for row in first[name] if row not in rows],
                [row for row in rows if row not in first[name]],
            )
            for name, rows in facts.items()
            if rows != first[name]
        }
        if parts:
            wrong[order] = parts
    return wrong
