"""Which invoice a payment's money belongs to, and what waits for it (M18)."""

from typing import Any

import pytest

from tests.builders.chargebee import (
    Json,
    customer,
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
class TestAllocation:
    def three(self, **members: Any) -> Json:
        applied = {"a": 5_000, "b": 3_000, "c": 2_000}
        return event(
            "ev_p", "payment_succeeded", 0,
            transaction=payment("txn_p", "cb_1", 10_000, applied, 0, **members),
            invoice=invoice("a", "cb_1", 5_000), customer=customer("cb_1", ADA),
        )  # fmt: skip

    def test_missing_invoices_wait_and_earn_when_they_come(self, world: World) -> None:
        """DOMAIN M18."""
        world.receive(self.three())
        assert world.transaction_of("txn_p").reason == "parked_missing_parent"
        assert world.earned() == 1_000
        world.receive(event("e1", "invoice_generated", 0, invoice=invoice("b", "cb_1", 3_000)))
        assert (world.earned(), world.transaction_of("txn_p").reason) == (
            1_600, "parked_missing_parent",
        )  # fmt: skip
        world.receive(event("e2", "invoice_generated", 0, invoice=invoice("c", "cb_1", 2_000)))
        assert (world.earned(), world.transaction_of("txn_p").reason) == (2_000, None)
        assert properties(world, "chargebee_invoice_id") == ["a", "b", "c"]

    def test_a_refund_is_shared_in_proportion_unless_its_note_says_where(
        self, world: World
    ) -> None:
        """DOMAIN A2."""
        world.receive(self.three())
        for name, total in (("b", 3_000), ("c", 2_000)):
            world.receive(event(f"e{name}", "invoice_generated", 0,
                                invoice=invoice(name, "cb_1", total)))  # fmt: skip
        world.receive(refunded("r", "txn_p", 1_000, 1))
        assert [world.earned(invoice=name) for name in "abc"] == [900, 540, 360]
        named = refund("txn_s", "txn_p", 2_000, 2, {"c": 1_000, "a": 1_000})
        world.receive(event("ev_s", "payment_refunded", 2, transaction=named))
        assert [world.earned(invoice=name) for name in "abc"] == [700, 540, 160]

    def test_more_applied_than_paid_is_quarantined(self, world: World) -> None:
        """DOMAIN M18."""
        body = self.three()
        body["content"]["transaction"]["amount"] = 9_999
        world.receive(body)
        assert world.ended("ev_p") == ("quarantined", "bad_payload")

    def test_another_currency_than_the_invoices_is_quarantined(self, world: World) -> None:
        """DOMAIN M18."""
        world.receive(self.three(currency_code="EUR"))
        assert world.ended("ev_p") == ("quarantined", "bad_payload")

    def test_an_invoice_outside_the_list_is_only_mirrored(self, world: World) -> None:
        """DOMAIN M18: its currency and customer do not matter."""
        body = paid("p", "cb_1", ADA)
        body["content"]["transaction"]["linked_invoices"][0]["invoice_id"] = "inv_other"
        body["content"]["invoice"] |= {"currency_code": "EUR", "customer_id": "cb_9"}
        world.receive(body)
        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.transaction_of("txn_p").reason == "parked_missing_parent"
        assert world.earned() == 0

    def test_a_payment_that_is_applied_to_nothing_waits_as_unapplied(self, world: World) -> None:
        """DOMAIN A3: amount_unused earns only when applied."""
        body = paid("p", "cb_1", ADA)
        body["content"]["transaction"]["linked_invoices"] = []
        world.receive(body)
        assert world.transaction_of("txn_p").reason == "unapplied_payment"
        world.receive(updated("p", 10_000, {"inv_p": 10_000}, 1))
        assert (world.transaction_of("txn_p").reason, world.earned()) == (None, 2_000)

    def test_a_second_telling_with_newer_money_is_followed(self, world: World) -> None:
        """DOMAIN: status and money follow the newest mirrored version, told by any event."""
        newer = paid("p", "cb_1", ADA, 10_000, invoice="inv_q")
        newer["id"], newer["occurred_at"] = "ev_q", newer["occurred_at"] + 60
        newer["content"]["transaction"]["resource_version"] += 60_000
        world.receive(paid("p", "cb_1", ADA), newer)
        assert world.outcome("ev_q") == "already_processed"
        assert properties(world, "chargebee_invoice_id") == ["inv_q"]
        assert (world.earned(invoice="inv_p"), world.earned(invoice="inv_q")) == (0, 2_000)

    def test_a_refund_in_one_batch_with_a_second_telling_is_seen(self, world: World) -> None:
        """DOMAIN V3, M15: how a batch is cut changes nothing."""
        world.receive(paid("p", "cb_1", ADA))
        world.accept({**paid("p", "cb_1", ADA), "id": "ev_q"}, refunded("r", "txn_p", 4_000))
        world.drain()
        assert world.transaction_of("txn_p").refunded_minor == 4_000
        assert world.transaction_of("txn_p").status == "partially_refunded"
        assert world.earned() == 1_200

    def test_two_tellings_with_different_payers_keep_the_first_answer(self, world: World) -> None:
        """DOMAIN M14, V9: one transaction, recorded once; the second telling is processed already.

        The second lacks the invoice, so by itself it would count for the payment owner.
        """
        full = event(
            "ev_p", "payment_succeeded", 0,
            transaction=payment("txn_p", "cb_boss", 10_000, {"inv_p": 10_000}),
            invoice=invoice("inv_p", "cb_1", 10_000, payment_owner="cb_boss"),
            customer=customer("cb_boss", ADA),
        )  # fmt: skip
        bare = {**full, "id": "ev_q", "occurred_at": full["occurred_at"] + 60}
        bare["content"] = {
            "transaction": full["content"]["transaction"],
            "customer": customer("cb_boss", "boss@else.example"),
        }
        world.receive(full)
        assert world.outcome("ev_p") == "transaction_recorded"
        world.receive(bare)
        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.earned() == 2_000
