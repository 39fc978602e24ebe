"""Money of voided invoices that credit notes brought elsewhere, and what becomes of it there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.rewards.credits import Credit, Move, allocate, moved
from tests.builders.chargebee import (
    Json,
    credit_note,
    epoch,
    event,
    invoice,
    paid,
    payment,
    refund,
)
from tests.builders.whole import violations
from tests.builders.world import World

ADA = "ada@one.example"
amounts = st.integers(1, 50)


class TestAllocate:
    @given(st.lists(amounts, max_size=5), st.lists(amounts, max_size=5))
    def test_no_more_than_was_paid_and_no_more_than_was_credited(
        self, paid_: list[int], wanted: list[int]
    ) -> None:
        """DOMAIN A3."""
        payments = [(f"p{number}", amount) for number, amount in enumerate(paid_)]
        credits = [Credit(f"n{number}", "inv", amount) for number, amount in enumerate(wanted)]
        found = allocate(payments, credits)

        assert sum(part.amount_minor for _, part in found) == min(sum(paid_), sum(wanted))
        for name, amount in payments:
            assert sum(part.amount_minor for payer, part in found if payer == name) <= amount
        for credit in credits:
            given_ = sum(p.amount_minor for _, p in found if p.note_id == credit.note_id)
            assert given_ <= credit.amount_minor

    @given(amounts, amounts)
    def test_what_is_moved_is_still_the_payments(self, there: int, part: int) -> None:
        move = Move("n", "p", "a", "b", min(part, there))
        found = moved({"a": there}, [move])

        assert sum(found.values()) == there
        assert found["b"] == min(part, there)


@pytest.fixture
def voided(world: World) -> World:
    """100.00 paid for an invoice that was then voided, with a note about them."""
    world.lead(ADA, world.partner("Ann"))
    world.receive(paid("1", "cb1", ADA))
    world.receive(billed("v", invoice("inv_1", "cb1", 10_000, 1, status="voided"), 1))
    note = credit_note("CN1", "inv_1", 10_000, 1, "refundable", status="adjusted")
    world.receive(event("ev_n", "credit_note_created", 1, credit_note=note))
    assert world.earned() == 0
    return world


def billed(name: str, body: Json, day: float) -> Json:
    return event(f"ev_{name}", "invoice_updated", day, invoice=body)


def credited(amount: int, total: int, name: str = "inv_B") -> Json:
    applied = [{"cn_id": "CN1", "applied_amount": amount, "applied_at": epoch(2)}]
    return billed(name, invoice(name, "cb1", total, 2, applied_credits=applied), 2)


def taken_back(amount: int, kind: str = "refund", **members: Any) -> Json:
    body = refund("txn_r", "txn_1", amount, 3, type=kind, **members)
    return event("ev_r", "transaction_created", 3, transaction=body)


class TestCredits:
    def test_an_invoice_that_only_a_credit_paid_earns(self, voided: World) -> None:
        """DOMAIN A2, A3: no payment of its own is needed."""
        voided.receive(credited(10_000, 10_000))

        assert voided.earned(invoice="inv_B") == 2_000
        assert violations(voided.engine) == {}

    def test_a_reversal_of_the_first_payment_takes_it_back(self, voided: World) -> None:
        """DOMAIN V3."""
        voided.receive(credited(10_000, 10_000), taken_back(10_000, "payment_reversal"))

        assert voided.earned() == 0
        assert violations(voided.engine) == {}

    def test_a_late_failure_of_the_first_payment_takes_it_back(self, voided: World) -> None:
        """DOMAIN V3."""
        failed = payment("txn_1", "cb1", 10_000, {"inv_1": 10_000}, 3, status="late_failure")
        failed["date"] = epoch(0)
        voided.receive(credited(10_000, 10_000))
        voided.receive(event("ev_f", "payment_failed", 3, transaction=failed))

        assert voided.earned() == 0
        assert violations(voided.engine) == {}

    def test_a_refund_of_the_rest_leaves_what_was_credited(self, voided: World) -> None:
        """DOMAIN A2: 60.00 went on, the other 40.00 went back."""
        notes = [{"cn_id": "CN1", "applied_amount": 4_000, "cn_reference_invoice_id": "inv_1"}]
        voided.receive(credited(6_000, 6_000), taken_back(4_000, linked_credit_notes=notes))

        assert voided.earned(invoice="inv_B") == 1_200
        assert violations(voided.engine) == {}

    def test_a_refund_of_the_credited_invoice_takes_from_it(self, voided: World) -> None:
        """DOMAIN A2: as the refund's own note says."""
        notes = [{"cn_id": "CN2", "applied_amount": 5_000, "cn_reference_invoice_id": "inv_B"}]
        voided.receive(credited(10_000, 10_000), taken_back(5_000, linked_credit_notes=notes))

        assert voided.earned(invoice="inv_B") == 1_000

    def test_a_credit_is_worth_what_was_paid(self, world: World) -> None:
        """DOMAIN A3: of 100.00 only 40.00 were ever paid."""
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA, 4_000, total=10_000))
        world.receive(billed("v", invoice("inv_1", "cb1", 10_000, 1, status="voided"), 1))
        note = credit_note("CN1", "inv_1", 10_000, 1, "refundable", status="adjusted")
        world.receive(event("ev_n", "credit_note_created", 1, credit_note=note))
        world.receive(credited(10_000, 10_000))

        assert world.earned() == 800
