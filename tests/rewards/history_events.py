"""A random history as the events that Chargebee would send about it."""

from typing import Any

from tests.builders import chargebee
from tests.builders.chargebee import Json, epoch
from tests.rewards.facts import Invoice, Note, Payment, Refund, State
from tests.rewards.histories import History

LATER = {Invoice: "invoice_updated", Payment: "transaction_updated", Refund: "transaction_updated",
         Note: "credit_note_updated"}  # fmt: skip


def payer_of(history: History) -> str:
    return f"cb_{history.number}"


def email_of(history: History) -> str:
    return f"payer{history.number}@customer.example"


def events_of(history: History) -> list[Json]:
    """One event for each snapshot, in its order; one day passes from one to the next."""
    return [event_of(history, place, thing) for place, thing in history.snapshots]


def event_of(history: History, place: int, thing: Any) -> Json:
    """The event that tells what a history has at a place in time."""
    before = State.of(pair for pair in history.snapshots if pair[0] < place)
    known = thing.id in {**before.invoices, **before.payments, **before.refunds, **before.notes}
    content: Json
    if isinstance(thing, Invoice):
        content = {"invoice": _invoice(history, place, thing)}
    elif isinstance(thing, Payment):
        content = _paid(history, place, thing)
    elif isinstance(thing, Refund):
        content = {"transaction": _refund(history, place, thing)}
    else:
        content = {"credit_note": _note(history, place, thing)}
    name = f"ev_{history.number}_{place}"
    return chargebee.event(name, _event_type(thing, known), place, **content)


def _event_type(thing: Any, known: bool) -> str:
    if isinstance(thing, Refund) and thing.status == "in_progress":
        return "refund_initiated"
    if isinstance(thing, Refund) and thing.status == "success" and thing.way != "payment_reversal":
        return "payment_refunded"
    if known or isinstance(thing, Refund):
        return LATER[type(thing)]
    return {Invoice: "invoice_generated", Payment: "payment_succeeded",
            Note: "credit_note_created"}[type(thing)]  # fmt: skip


def _invoice(history: History, place: int, thing: Invoice) -> Json:
    lines = [
        {"id": f"li_{position}", "object": "line_item", "entity_type": "plan_item_price",
         "amount": line.amount, "discount_amount": line.discount, "tax_amount": line.tax}
        for position, line in enumerate(thing.lines)
    ]  # fmt: skip
    return chargebee.invoice(
        thing.id, payer_of(history), thing.total, place,
        currency_code=history.currency, line_items=lines, write_off_amount=thing.write_off,
        status="voided" if thing.voided else "payment_due",
        price_type="tax_inclusive" if thing.inclusive else "tax_exclusive",
    )  # fmt: skip


def _paid(history: History, place: int, thing: Payment) -> Json:
    """A payment with one of its invoices, as that one stood, and with its customer."""
    transaction = chargebee.payment(
        thing.id, payer_of(history), thing.amount, dict(thing.applied), place,
        currency_code=history.currency, status=thing.status, date=epoch(thing.day),
    )  # fmt: skip
    shown = sorted(thing.applied)[0]
    seen, invoice = max(
        (at, one) for at, one in history.snapshots if at < place and one.id == shown
    )
    return {
        "transaction": transaction,
        "invoice": _invoice(history, seen, invoice),  # type: ignore[arg-type]
        "customer": chargebee.customer(payer_of(history), email_of(history)),
    }


def _refund(history: History, place: int, thing: Refund) -> Json:
    found = chargebee.refund(
        thing.id, thing.payment, thing.amount, place, dict(thing.notes),
        currency_code=history.currency, status=thing.status,
        type="payment_reversal" if thing.way == "payment_reversal" else "refund",
    )  # fmt: skip
    if thing.way != "refund":
        found["reference_transaction_id"] = found.pop("refunded_txn_id")
    if thing.way == "chargeback":
        found["payment_method"] = "chargeback"
    return found


def _note(history: History, place: int, thing: Note) -> Json:
    line = {"id": "li_0", "amount": thing.net, "tax_amount": thing.tax}
    return chargebee.credit_note(
        thing.id, thing.invoice, thing.net + thing.tax, place, currency_code=history.currency,
        date=epoch(thing.day), line_items=[line], status="voided" if thing.voided else "adjusted",
    )  # fmt: skip
