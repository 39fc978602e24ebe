"""Everything that takes money back, as Chargebee tells it, and what is left of the reward.

Each case is about one invoice of NET and tax that is paid by one payment, under a 20 % rule. Its
events are told in their order of occurrence; the expected reward is worked out beside it.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

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

NET, TAX = 9_999, 1_900
TOTAL = NET + TAX
PART = 3_333


def reward(kept: int, net: int = NET, payable: int = TOTAL) -> int:
    """20 % of the net, in proportion to what is kept of what is payable; halves go to even."""
    return round(Fraction(net) * min(kept, payable) / payable / 5)


class Case(NamedTuple):
    """`events` of the payment called `p`; what its invoice earns then, and why it waits, if so."""

    events: Callable[[str], list[Json]]
    earned: int
    hold: str | None = None
    standing: str = "succeeded"


def email_of(p: str) -> str:
    return f"{p}@payer.example"


def pay(p: str, amount: int = TOTAL, **members: Any) -> Json:
    return paid(p, f"cb_{p}", email_of(p), amount, total=TOTAL, tax=TAX, **members)


def take(p: str, name: str, amount: int, day: float, kind: str = "payment_refunded",
         **members: Any) -> Json:  # fmt: skip
    """A refund or reversal `name` of the payment, by an event of type `kind`."""
    told = refund(f"{name}_{p}", f"txn_{p}", amount, day, **members)
    return event(f"ev_{name}_{p}_{day}", kind, day, transaction=told)


def dispute(p: str, name: str, amount: int, day: float, **members: Any) -> Json:
    """A chargeback as Chargebee records it: a refund that only refers to the payment."""
    kind = members.pop("kind", "payment_refunded")
    by_reference = {"refunded_txn_id": None, "reference_transaction_id": f"txn_{p}"}
    return take(p, name, amount, day, kind, payment_method="chargeback", **by_reference, **members)


def retell(p: str, kind: str, day: float, **members: Any) -> Json:
    """A later version of the payment itself."""
    later = payment(f"txn_{p}", f"cb_{p}", TOTAL, {f"inv_{p}": TOTAL}, day, **members)
    return event(f"ev_{kind}_{p}_{day}", kind, day, transaction={**later, "date": epoch(0)})


def bill(p: str, day: float, **members: Any) -> Json:
    later = invoice(f"inv_{p}", f"cb_{p}", TOTAL, day, tax=TAX, **members)
    return event(f"ev_bill_{p}_{day}", "invoice_updated", day, invoice=later)


def note(p: str, name: str, total: int, day: float, kind: str, **members: Any) -> Json:
    told = members.pop("told", "credit_note_created")
    found = credit_note(f"{name}_{p}", f"inv_{p}", total, day, kind, **members)
    return event(f"ev_{name}_{p}_{day}", told, day, credit_note=found)


def adjustment(p: str, day: float, **members: Any) -> Json:
    """1200 less is owed, without tax."""
    return note(p, "cn", 1_200, day, "adjustment", **members)


REFUNDS = {
    "a partial refund": Case(
        lambda p: [pay(p), take(p, "r", PART, 1)],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a full refund": Case(
        lambda p: [pay(p), take(p, "r", TOTAL, 1)], 0, standing="refunded"
    ),
    "two partial refunds": Case(
        lambda p: [pay(p), take(p, "r", PART, 1), take(p, "s", 1, 2)],
        reward(TOTAL - PART - 1), standing="partially_refunded",
    ),
    "refunds that add up to the whole": Case(
        lambda p: [pay(p), take(p, "r", PART, 1), take(p, "s", TOTAL - PART, 2)],
        0, standing="refunded",
    ),
    "refunds of more than the whole": Case(
        lambda p: [pay(p), take(p, "r", TOTAL, 1), take(p, "s", TOTAL, 2)],
        0, standing="refunded",
    ),
    "an offline refund that only refers to its payment": Case(
        lambda p: [pay(p, payment_method="cash"),
                   take(p, "r", PART, 1, refunded_txn_id=None,
                        reference_transaction_id=f"txn_{p}", payment_method="cash")],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a refund under way": Case(
        lambda p: [pay(p), take(p, "r", PART, 1, "refund_initiated", status="in_progress")],
        reward(TOTAL), hold="refund_open",
    ),
    "a refund under way that settles": Case(
        lambda p: [pay(p), take(p, "r", PART, 1, "refund_initiated", status="in_progress"),
                   take(p, "r", PART, 2)],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a refund under way that fails": Case(
        lambda p: [pay(p), take(p, "r", PART, 1, "refund_initiated", status="in_progress"),
                   take(p, "r", PART, 2, "transaction_updated", status="failure")],
        reward(TOTAL),
    ),
    "one refund settles while another is under way": Case(
        lambda p: [pay(p), take(p, "r", PART, 1),
                   take(p, "s", 500, 2, "refund_initiated", status="in_progress")],
        reward(TOTAL - PART), hold="refund_open", standing="partially_refunded",
    ),
}  # fmt: skip

DISPUTES = {
    "a chargeback": Case(
        lambda p: [pay(p), dispute(p, "d", TOTAL, 1)], 0, standing="reversed"
    ),
    "a chargeback of a part": Case(
        lambda p: [pay(p), dispute(p, "d", PART, 1)],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a chargeback told by a credit note and a recorded refund": Case(
        lambda p: [pay(p),
                   note(p, "cn", TOTAL, 1, "refundable", reason_code="chargeback"),
                   dispute(p, "d", TOTAL, 1, linked_credit_notes=[
                       {"cn_id": f"cn_{p}", "applied_amount": TOTAL,
                        "cn_reference_invoice_id": f"inv_{p}"}])],
        0, standing="reversed",
    ),
    "a fraudulent part told by a credit note and a refund": Case(
        lambda p: [pay(p),
                   note(p, "cn", PART, 1, "refundable", reason_code="fraudulent"),
                   take(p, "r", PART, 1, linked_credit_notes=[
                       {"cn_id": f"cn_{p}", "applied_amount": PART,
                        "cn_reference_invoice_id": f"inv_{p}"}])],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a chargeback that is won: the refund is voided": Case(
        lambda p: [pay(p), dispute(p, "d", TOTAL, 1),
                   dispute(p, "d", TOTAL, 2, kind="transaction_updated", status="voided")],
        reward(TOTAL),
    ),
    "a chargeback that is won: the refund is deleted": Case(
        lambda p: [pay(p), dispute(p, "d", TOTAL, 1),
                   dispute(p, "d", TOTAL, 2, kind="transaction_deleted", deleted=True)],
        reward(TOTAL),
    ),
    "a chargeback that is won after a partial refund": Case(
        lambda p: [pay(p), take(p, "r", PART, 1), dispute(p, "d", TOTAL - PART, 2),
                   dispute(p, "d", TOTAL - PART, 3, kind="transaction_updated", status="voided")],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a refund and a chargeback of the same money": Case(
        lambda p: [pay(p), take(p, "r", TOTAL, 1), dispute(p, "d", TOTAL, 2)],
        0, standing="reversed",
    ),
}  # fmt: skip

FAILURES = {
    "a late failure by transaction_updated": Case(
        lambda p: [pay(p), retell(p, "transaction_updated", 1, status="late_failure")],
        0, standing="reversed",
    ),
    "a late failure by payment_failed": Case(
        lambda p: [pay(p), retell(p, "payment_failed", 1, status="late_failure")],
        0, standing="reversed",
    ),
    "a late failure told both ways and by a reversal": Case(
        lambda p: [pay(p), retell(p, "payment_failed", 1, status="late_failure",
                                  reversal_transaction_id=f"x_{p}"),
                   take(p, "x", TOTAL, 1, "transaction_created", type="payment_reversal",
                        refunded_txn_id=None, reference_transaction_id=f"txn_{p}")],
        0, standing="reversed",
    ),
    "a payment reversal alone": Case(
        lambda p: [pay(p), take(p, "x", TOTAL, 1, "transaction_created", type="payment_reversal",
                                refunded_txn_id=None, reference_transaction_id=f"txn_{p}")],
        0, standing="reversed",
    ),
    "a late failure of a payment that was refunded in part": Case(
        lambda p: [pay(p), take(p, "r", PART, 1),
                   retell(p, "transaction_updated", 2, status="late_failure")],
        0, standing="reversed",
    ),
    "a voided payment": Case(
        lambda p: [pay(p), retell(p, "transaction_updated", 1, status="voided")],
        0, standing="reversed",
    ),
    "an offline payment that is deleted": Case(
        lambda p: [pay(p, payment_method="cash"),
                   retell(p, "transaction_deleted", 1, payment_method="cash", deleted=True)],
        0, standing="reversed",
    ),
    "a deletion that a newer version follows": Case(
        lambda p: [pay(p), retell(p, "transaction_deleted", 1, deleted=True),
                   retell(p, "transaction_updated", 2)],
        0, standing="reversed",
    ),
    "a payment that was in progress before": Case(
        lambda p: [retell(p, "transaction_created", -1, status="in_progress"), pay(p)],
        reward(TOTAL),
    ),
}  # fmt: skip

PAPERS = {
    "an invoice that is voided": Case(
        lambda p: [pay(p), bill(p, 1, status="voided")], 0
    ),
    "a voided invoice and a refund": Case(
        lambda p: [pay(p), bill(p, 1, status="voided"), take(p, "r", PART, 2)],
        0, standing="partially_refunded",
    ),
    "a refundable note without a refund": Case(
        lambda p: [pay(p), note(p, "cn", PART, 1, "refundable", status="refund_due")],
        reward(TOTAL),
    ),
    "a refundable note and its refund": Case(
        lambda p: [pay(p), note(p, "cn", PART, 1, "refundable", status="refund_due"),
                   take(p, "r", PART, 2, linked_credit_notes=[
                       {"cn_id": f"cn_{p}", "applied_amount": PART,
                        "cn_reference_invoice_id": f"inv_{p}"}])],
        reward(TOTAL - PART), standing="partially_refunded",
    ),
    "a refundable note that is voided": Case(
        lambda p: [pay(p), note(p, "cn", PART, 1, "refundable", status="refund_due"),
                   note(p, "cn", PART, 2, "refundable", told="credit_note_updated",
                        status="voided")],
        reward(TOTAL),
    ),
    "an adjustment note": Case(
        lambda p: [pay(p), adjustment(p, 1)], reward(TOTAL, NET - 1_200, TOTAL - 1_200)
    ),
    "an adjustment note that is voided": Case(
        lambda p: [pay(p), adjustment(p, 1),
                   adjustment(p, 2, told="credit_note_updated", status="voided")],
        reward(TOTAL),
    ),
    "an adjustment note that is deleted": Case(
        lambda p: [pay(p), adjustment(p, 1),
                   adjustment(p, 2, told="credit_note_deleted", deleted=True)],
        reward(TOTAL),
    ),
    "an adjustment note and a partial refund": Case(
        lambda p: [pay(p), adjustment(p, 1), take(p, "r", PART, 2)],
        reward(TOTAL - PART, NET - 1_200, TOTAL - 1_200), standing="partially_refunded",
    ),
    "a write-off of what was not paid": Case(
        lambda p: [pay(p, 8_000, invoice=f"inv_{p}"), bill(p, 1, write_off_amount=TOTAL - 8_000)],
        reward(8_000, NET, 8_000),
    ),
    "a write-off and a partial refund": Case(
        lambda p: [pay(p, 8_000, invoice=f"inv_{p}"), bill(p, 1, write_off_amount=TOTAL - 8_000),
                   take(p, "r", PART, 2)],
        reward(8_000 - PART, NET, 8_000), standing="partially_refunded",
    ),
}  # fmt: skip

TABLES = {"refunds": REFUNDS, "disputes": DISPUTES, "failures": FAILURES, "papers": PAPERS}
