"""From a Chargebee payment to money paid, refunded afterwards, and netted: nothing disagrees."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.payouts import making, service
from rewards_service.payouts.models import Payout
from rewards_service.rewards import review
from rewards_service.rewards.models import Reward
from tests.builders.chargebee import paid, refunded
from tests.builders.whole import violations
from tests.builders.world import World

EMAIL = "eve@buyer.example"
CUT_OFF = date(2026, 6, 1)


def approve(world: World) -> None:
    with transaction(world.engine) as session:
        query = select(Reward.id).where(Reward.status == "pending").order_by(Reward.id)
        review.change_status(session, session.scalars(query).all(), "approved", None, "test")


def make(world: World) -> tuple[int, int]:
    """(payout, its total)."""
    with transaction(world.engine) as session:
        (made,) = making.create(session, making.Wanted("USD", CUT_OFF), "test").payouts
        return made.id, made.total_minor


def pay(world: World, payout: int) -> None:
    with transaction(world.engine) as session:
        service.submit(session, payout, "test")
        service.accept(session, payout, "test")
        service.mark_paid(session, payout, CUT_OFF, None, "test")


class TestWholeWay:
    def test_what_was_earned_less_what_was_taken_back_is_what_was_paid(self, world: World) -> None:
        """DOMAIN V3, V4, V6, A4; partner-programs 3, pains 1 and 2: refunds after payout."""
        partner = world.partner()
        world.lead(EMAIL, partner)
        world.receive(paid("1", "cb1", EMAIL, 10_000))
        approve(world)
        first, total = make(world)
        assert total == 2_000
        world.receive(refunded("2", "txn_1", 2_500))  # while it is on its way
        pay(world, first)
        world.receive(refunded("3", "txn_1", 2_500, day=2))  # after it was paid
        world.receive(paid("4", "cb1", EMAIL, 30_000, day=3))
        approve(world)
        second, total = make(world)
        assert total == 6_000 - 1_000
        pay(world, second)

        with Session(world.engine) as session:
            paid_out = sum(session.scalars(select(Payout.total_minor)))
        assert paid_out == world.earned(partner) == 7_000
        assert violations(world.engine) == {}
