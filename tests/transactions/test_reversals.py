"""What takes a reward back, and what gives it again (V3, M15)."""

import pytest

from tests.builders.chargebee import (
    Json,
    event,
    invoice,
    paid,
    payment,
    refund,
    refunded,
)
from tests.builders.corrections import properties, updated
from tests.builders.world import World

ADA = "ada@one.example"


@pytest.mark.usefixtures("ann")
class TestReversals:
    def test_a_refund_before_its_payment_waits_and_then_counts(self, world: World) -> None:
        """DOMAIN M15."""
        world.receive(refunded("r", "txn_p", 2_500))
        assert world.ended("ev_r") == ("done", "parked_missing_parent")
        world.receive(paid("p", "cb_1", ADA))
        assert world.ended("ev_r") == ("done", "reversed")
        assert world.entries() == [1_500]

    def test_a_chargeback_reverses_and_a_won_one_restores(self, world: World) -> None:
        """DOMAIN V3."""
        back = refund("txn_b", "unused", 10_000, 1, payment_method="chargeback")
        back |= {"refunded_txn_id": None, "reference_transaction_id": "txn_p"}
        world.receive(
            paid("p", "cb_1", ADA), event("ev_b", "payment_refunded", 1, transaction=back)
        )
        assert (world.transaction_of("txn_p").status, world.earned()) == ("reversed", 0)
        won = {**back, "status": "voided", "resource_version": 9_000_000_000_000}
        world.receive(event("ev_w", "transaction_updated", 2, transaction=won))
        assert (world.transaction_of("txn_p").status, world.earned()) == ("succeeded", 2_000)
        assert world.entries() == [2_000, -2_000, 2_000]

    def test_a_late_failure_and_its_reversal_take_back_once(self, world: World) -> None:
        """DOMAIN V3; Chargebee tells it twice: status of the payment, and a reversal."""
        reversal = refund("txn_x", "txn_p", 10_000, 2, type="payment_reversal")
        world.receive(
            paid("p", "cb_1", ADA),
            updated("p", 10_000, {"inv_p": 10_000}, 1, status="late_failure"),
            event("ev_x", "transaction_created", 2, transaction=reversal),
        )
        assert world.entries() == [2_000, -2_000]
        assert world.transaction_of("txn_p").status == "reversed"
        assert {world.outcome("ev_p_1"), world.outcome("ev_x")} == {"reversed"}

    @pytest.mark.parametrize("status", ["voided", "late_failure"])
    def test_a_payment_that_no_longer_stands_earns_nothing(self, status: str, world: World) -> None:
        """DOMAIN V3."""
        world.receive(
            paid("p", "cb_1", ADA), updated("p", 10_000, {"inv_p": 10_000}, 1, status=status)
        )
        assert world.earned() == 0

    def test_a_deleted_payment_is_final_whatever_its_version(self, world: World) -> None:
        """DOMAIN "Which Chargebee events matter": *_deleted wins."""
        world.receive(
            paid("p", "cb_1", ADA),
            event("ev_d", "transaction_deleted", -5,
                  transaction=payment("txn_p", "cb_1", 10_000, {"inv_p": 10_000}, -5)),
            updated("p", 10_000, {"inv_p": 10_000}, 9),
        )  # fmt: skip
        assert world.earned() == 0
        assert world.transaction_of("txn_p").status == "reversed"

    def test_an_older_version_changes_nothing(self, world: World) -> None:
        """DOMAIN: the newest is the one with the highest resource_version."""
        world.receive(
            paid("p", "cb_1", ADA), updated("p", 10_000, {"inv_p": 10_000}, -1, status="voided")
        )
        assert world.earned() == 2_000

    def test_a_voided_invoice_keeps_nothing_until_the_money_is_applied_elsewhere(
        self, world: World
    ) -> None:
        """DOMAIN A2, A14."""
        gone = invoice("inv_p", "cb_1", 10_000, 1, status="voided")
        world.receive(paid("p", "cb_1", ADA), event("ev_v", "invoice_updated", 1, invoice=gone))
        assert world.earned() == 0
        assert world.outcome("ev_v") == "reversed"
        fresh = invoice("inv_q", "cb_1", 10_000, 2)
        world.receive(
            event("ev_q", "invoice_generated", 2, invoice=fresh),
            updated("p", 10_000, {"inv_q": 10_000}, 2),
        )
        assert world.earned(invoice="inv_q") == 2_000
        assert properties(world, "chargebee_invoice_id") == ["inv_q"]

    def test_an_open_refund_holds_the_reward_until_it_settles_or_fails(
        self, world: World, ann: int
    ) -> None:
        """DOMAIN A2, V11 refund_open."""

        def told(name: str, status: str, day: float) -> Json:
            row = refund(f"txn_{name}", "txn_p", 2_500, day, status=status)
            return event(f"ev_{name}_{day}", "transaction_updated", day, transaction=row)

        world.receive(paid("p", "cb_1", ADA), told("r", "in_progress", 1))
        assert (world.hold(ann), world.earned()) == ([("hold", "refund_open")], 2_000)
        world.receive(told("r", "failure", 2))
        assert (world.hold(ann), world.earned()) == ([("pending", None)], 2_000)
        world.receive(told("s", "in_progress", 3), told("s", "success", 4))
        assert (world.hold(ann), world.earned()) == ([("pending", None)], 1_500)

    def test_a_void_counts_as_reversal_once_an_old_version_names_its_payment(
        self, world: World
    ) -> None:
        """DOMAIN V10: paid in advance, applied, freed by the void; the middle one comes last."""
        void = invoice("inv_x", "cb_1", 10_000, 3, status="voided")
        freed = updated("p", 10_000, {}, 3, amount_unused=10_000)
        world.receive(
            paid("p", "cb_1", ADA, invoice="inv_p"), freed,
            event("ev_void", "invoice_updated", 3, invoice=void),
        )  # fmt: skip
        assert world.outcome("ev_void") == "mirrored"
        world.receive(updated("p", 10_000, {"inv_x": 10_000}, 2))
        assert world.outcome("ev_void") == "reversed"
        assert world.earned() == 0
