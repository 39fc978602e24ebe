"""A story of two partners and two currencies that fits on a page.

Ann: 20.00 and 10.00 USD earned in January, of the first 8.00 taken back in February, 30.00 EUR in
February; her January dollars were paid on the last of January. Bob: 20.00 USD in February, held.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.rewards.models import Reward
from rewards_service.rewards.review import Order, carry_out
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

PAID_OUT = datetime(2026, 1, 31, tzinfo=UTC)
STATEMENT = "/reports/partners/{}/statement"


def tell(world: World) -> None:
    """Let it happen."""
    ann, bob = world.partner("Ann"), world.partner("Bob")
    world.lead("ada@a.example", ann)
    world.deal("eve@e.example", bob)
    world.lead("nobody@n.example", ann)
    world.receive(paid("1", "cb1", "ada@a.example", day=2))
    world.receive(paid("2", "cb1", "ada@a.example", amount=5_000, day=20))
    move(world, ["inv_1", "inv_2"], "approved", "in_payout")
    move(world, ["inv_1", "inv_2"], "paid", happened_at=PAID_OUT)
    world.receive(refunded("r", "txn_1", 4_000, day=35))
    # Told together, and after the refund, though it came before.
    world.accept(paid("3", "cb1", "ada@a.example", 15_000, day=33, currency_code="EUR"))
    world.accept(paid("4", "cb2", "eve@e.example", day=45))
    world.drain()
    move(world, ["inv_4"], "hold")


def move(world: World, invoices: list[str], *way: str, happened_at: datetime | None = None) -> None:
    """Move the first rewards of invoices, step by step."""
    for status in way:
        with transaction(world.engine) as session:
            query = select(Reward.id).where(Reward.invoice_id.in_(invoices), Reward.seq == 1)
            order = Order(status, "test", "test", happened_at=happened_at)
            carry_out(session, list(session.scalars(query)), order)


def ann(key: int = 1) -> str:
    return ids.encode("par", key)


def measures(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
