"""When that happened which a posting is about, whenever and in whatever company we heard of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.rewards.models import LedgerEntry
from tests.builders.chargebee import at, event, paid, payment, refund, refunded
from tests.builders.world import World

EMAIL = "ada@customer.example"


def dated(world: World) -> list[tuple[str | None, int, datetime]]:
    """(effect, minor units, when it happened) of each entry, in the order of posting."""
    query = select(LedgerEntry.effect, LedgerEntry.owed_minor, LedgerEntry.happened_at)
    with Session(world.engine) as session:
        return [(a, b, c) for a, b, c in session.execute(query.order_by(LedgerEntry.id))]


class TestDate:
    """The first of the two clocks of DOMAIN A4's postings."""

    def test_an_earning_happens_with_its_payment_not_with_its_event(self, world: World) -> None:
        world.lead(EMAIL, world.partner())
        world.receive(
            event("late", "payment_succeeded", 40, **paid("1", "cb1", EMAIL, day=3)["content"])
        )

        assert dated(world) == [("earned", 2_000, at(3))]

    def test_events_of_one_batch_are_told_apart(self, world: World) -> None:
        world.lead(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL, day=1))
        world.accept(
            refunded("r", "txn_1", 5_000, day=35), paid("2", "cb1", EMAIL, day=20),
            paid("3", "cb9", "nobody@x.example", day=60),
        )  # fmt: skip
        world.drain()

        assert sorted(dated(world)) == [
            ("earned", 2_000, at(1)), ("earned", 2_000, at(20)), ("reversed", -1_000, at(35)),
        ]  # fmt: skip

    def test_each_part_of_a_payment_has_its_day_in_whatever_order_they_come(
        self, world: World
    ) -> None:
        world.lead(EMAIL, world.partner())
        parts: dict[str, Any] = {"total": 10_000, "invoice": "inv", "amount": 4_000}
        world.receive(
            paid("1", "cb1", EMAIL, day=33, **parts), paid("2", "cb1", EMAIL, day=2, **parts)
        )

        assert dated(world) == [("earned", 800, at(33)), ("earned", 800, at(2))]

    def test_a_payer_who_becomes_known_later_has_earned_when_he_paid(self, world: World) -> None:
        """DOMAIN M16."""
        world.receive(paid("1", "cb1", "other@x.example", day=5))
        world.lead(EMAIL, world.partner())
        world.receive(paid("2", "cb1", EMAIL, day=4), paid("3", "cb1", EMAIL, day=50))

        assert sorted(dated(world)) == [
            ("earned", 2_000, at(4)), ("earned", 2_000, at(5)), ("earned", 2_000, at(50)),
        ]  # fmt: skip

    def test_a_won_dispute_gives_back_on_its_own_day(self, world: World) -> None:
        """DOMAIN V3."""
        world.lead(EMAIL, world.partner())
        lost = refund("r", "txn_1", 10_000, day=10, type="payment_reversal")
        won = {**lost, "status": "voided", "resource_version": lost["resource_version"] + 1}
        world.receive(
            paid("1", "cb1", EMAIL, day=1),
            event("lost", "transaction_created", 10, transaction=lost),
            event("won", "transaction_updated", 45, transaction=won),
        )

        assert dated(world) == [
            ("earned", 2_000, at(1)), ("reversed", -2_000, at(10)), ("earned", 2_000, at(45)),
        ]  # fmt: skip

    def test_a_payment_that_fails_late_is_taken_back_on_that_day(self, world: World) -> None:
        """DOMAIN V3."""
        world.lead(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL, day=1))
        failed = payment("txn_1", "cb1", 10_000, {"inv_1": 10_000}, 1, status="late_failure")
        failed["resource_version"] += 1
        world.receive(event("failed", "transaction_updated", 38, transaction=failed))

        assert dated(world)[1:] == [("reversed", -2_000, at(38))]
