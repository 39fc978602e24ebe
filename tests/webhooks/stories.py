"""Short histories whose books must not depend on the order of arrival."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.builders.chargebee import (
    Json,
    at,
    credit_note,
    customer,
    event,
    invoice,
    paid,
    payment,
    refund,
    refunded,
)
from tests.builders.lanes import Lane


class Story(NamedTuple):
    """Who is there before, what happens in order of occurrence, what is earned at the end."""

    setup: Callable[[Lane], None]
    history: list[Json]
    earned: dict[str, int]


def ann_has_a_lead(lane: Lane) -> None:
    lane.world.lead(lane.email("ada"), lane.partner("Ann"))


def ann_has_a_deal(lane: Lane) -> None:
    lane.world.deal(lane.email("ada"), lane.partner("Ann"))


def two_partners(lane: Lane) -> None:
    lane.world.lead(lane.email("ada"), lane.partner("Ann"))
    lane.world.lead(lane.email("bea"), lane.partner("Bob"))


def lead_and_deal(lane: Lane) -> None:
    lane.world.lead(lane.email("ada"), lane.partner("Ann"))
    lane.world.deal(lane.email("bea"), lane.partner("Bob"))


def late_lead(lane: Lane) -> None:
    lane.world.lead(lane.email("ada"), lane.partner("Ann"), registered_at=at(1.5))


def status_of(name: str, payer: str, status: str, day: float) -> Json:
    changed = payment(f"txn_{name}", payer, 10_000, {f"inv_{name}": 10_000}, 0, status=status)
    changed["resource_version"] = int(at(day).timestamp()) * 1000
    return event(f"ev_{name}_{status}", "transaction_updated", day, transaction=changed)


def voided(name: str, payer: str, day: float) -> Json:
    newer = invoice(f"inv_{name}", payer, 10_000, day, status="voided")
    return event(f"ev_{name}_void", "invoice_updated", day, invoice=newer)


def moved(name: str, payer: str, applied: dict[str, int], day: float) -> Json:
    """The payment is applied elsewhere from now on."""
    changed = payment(f"txn_{name}", payer, 10_000, applied, 0)
    changed["resource_version"] = int(at(day).timestamp()) * 1000
    return event(f"ev_{name}_moved", "transaction_updated", day, transaction=changed)


def note(name: str, invoice_id: str, total: int, day: float, **members: Any) -> Json:
    return event(
        f"ev_{name}_{day}", "credit_note_updated", day,
        credit_note=credit_note(name, invoice_id, total, day, **members),
    )  # fmt: skip


ADA = "ada@lane"


BEA = "bea@lane"


STORIES = {
    "two partial payments of one invoice, refunds of both": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA, 4_000, 0, invoice="inv", total=12_000, tax=2_000),
            paid("2", "cb_1", ADA, 8_000, 1, invoice="inv", total=12_000, tax=2_000),
            refunded("r1", "txn_1", 1_000, 2),
            refunded("r2", "txn_2", 8_000, 3),
            note("CN", "inv", 1_200, 4),
        ],
        # net 10000 less the note's 1200, of 12000 less 1200 payable, 3000 kept, 20 %
        {"Ann": 489},
    ),
    "a payment fails late after a refund and is told twice": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA),
            refunded("r1", "txn_1", 2_500, 1),
            {**paid("1", "cb_1", ADA), "id": "ev_1_again", "occurred_at": 1_767_300_000},
            status_of("1", "cb_1", "late_failure", 3),
            paid("2", "cb_1", ADA, 10_000, 4),
        ],
        {"Ann": 2_000},
    ),
    "an invoice is voided and its money applied elsewhere": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA),
            voided("1", "cb_1", 1),
            moved("1", "cb_1", {"inv_new": 10_000}, 2),
            event("ev_new", "invoice_generated", 2, invoice=invoice("inv_new", "cb_1", 10_000, 2)),
            refunded("r1", "txn_1", 5_000, 3),
        ],
        {"Ann": 1_000},
    ),
    "a disputed payment is won back": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA),
            event("ev_cb", "payment_refunded", 1, transaction=refund(
                "txn_cb", "txn_1", 10_000, 1, payment_method="chargeback")),
            event("ev_won", "transaction_updated", 2, transaction=refund(
                "txn_cb", "txn_1", 10_000, 2, payment_method="chargeback", status="voided")),
            note("CN", "inv_1", 1_000, 3),
            note("CN", "inv_1", 1_000, 4, status="voided"),
        ],
        {"Ann": 2_000},
    ),
    "a payment over three invoices of which two come by themselves": Story(
        ann_has_a_lead,
        [
            event(
                "ev_1", "payment_succeeded", 0,
                transaction=payment(
                    "txn_1", "cb_1", 10_000, {"a": 5_000, "b": 3_000, "c": 2_000}),
                invoice=invoice("a", "cb_1", 5_000), customer=customer("cb_1", ADA),
            ),
            event("ev_b", "invoice_generated", 0, invoice=invoice("b", "cb_1", 6_000, tax=1_000)),
            event("ev_c", "invoice_generated", 0, invoice=invoice("c", "cb_1", 2_000)),
            event("ev_r1", "payment_refunded", 2, transaction=refund(
                "txn_r1", "txn_1", 1_000, 2, {"b": 1_000})),
            refunded("r2", "txn_1", 1_000, 3),
        ],
        # a keeps 4500 of 5000; b 1700 of 6000, net 5000; c 1800 of 2000: 900 + 283 + 360
        {"Ann": 1_543},
    ),
    "a payer becomes known by a later payment with another e-mail": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", "nobody@else.example", day=0),
            paid("2", "cb_1", None, day=1),
            paid("3", "cb_1", ADA, day=2),
            refunded("r1", "txn_1", 5_000, 3),
            paid("4", "cb_1", "nobody@else.example", day=4),
        ],
        {"Ann": 7_000},
    ),
    "one payer with the e-mails of two leads": Story(
        two_partners,
        [
            paid("1", "cb_1", BEA, day=0),
            paid("2", "cb_1", ADA, day=1),
            refunded("r1", "txn_1", 10_000, 2),
            paid("3", "cb_1", ADA, day=3),
        ],
        {"Bob": 4_000},
    ),
    "two payers compete for one lead": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA, day=0),
            paid("2", "cb_2", ADA, day=1),
            refunded("r1", "txn_1", 5_000, 2),
            refunded("r2", "txn_2", 5_000, 3),
            paid("3", "cb_2", ADA, day=4),
        ],
        {"Ann": 1_000},
    ),
    "two payers compete for one deal and both are refunded": Story(
        ann_has_a_deal,
        [
            paid("1", "cb_1", ADA, day=0),
            paid("2", "cb_2", ADA, day=1),
            refunded("r1", "txn_1", 5_000, 2),
            refunded("r2", "txn_2", 5_000, 3),
            voided("2", "cb_2", 4),
        ],
        {"Ann": 1_000},
    ),
    "a chain: each payment frees or takes another's lead or deal": Story(
        lead_and_deal,
        [
            paid("1", "cb_1", ADA, day=0),
            paid("2", "cb_2", ADA, day=1),
            paid("3", "cb_2", BEA, day=2),
            paid("4", "cb_3", BEA, day=3),
            refunded("r4", "txn_4", 1_000, 4),
        ],
        {"Ann": 2_000, "Bob": 4_000},
    ),
    "a lead registered between two payments": Story(
        late_lead,
        [
            paid("1", "cb_1", ADA, day=1),
            paid("2", "cb_1", ADA, day=2),
            refunded("r2", "txn_2", 2_500, 3),
            refunded("r1", "txn_1", 2_500, 3),
        ],
        {"Ann": 1_500},
    ),
    "a customer changes and is deleted": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA, day=0),
            event("ev_c", "customer_changed", 1, customer=customer("cb_1", "new@x.example", 1)),
            event("ev_d", "customer_deleted", 2, customer=customer("cb_1", "new@x.example", 1)),
            paid("2", "cb_1", "new@x.example", day=3),
            event("ev_x", "transaction_deleted", 4,
                  transaction=payment("txn_2", "cb_1", 10_000, {"inv_2": 10_000}, 3)),
        ],
        {"Ann": 2_000},
    ),
    "refunds under way, settled and failed": Story(
        ann_has_a_lead,
        [
            paid("1", "cb_1", ADA),
            event("ev_i1", "refund_initiated", 1, transaction=refund(
                "txn_r1", "txn_1", 2_500, 1, status="in_progress")),
            event("ev_i2", "refund_initiated", 1, transaction=refund(
                "txn_r2", "txn_1", 2_500, 1, status="in_progress")),
            refunded("r1", "txn_1", 2_500, 2),
            event("ev_f2", "transaction_updated", 3, transaction=refund(
                "txn_r2", "txn_1", 2_500, 3, status="failure")),
        ],
        {"Ann": 1_500},
    ),
}  # fmt: skip
