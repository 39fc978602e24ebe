"""Chargebee's objects and events as small dictionaries, the way its webhooks carry them."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(day: float) -> datetime:
    """Noon of the first of January 2026, and `day` days on."""
    return START + timedelta(days=day)


def epoch(day: float) -> int:
    return int(at(day).timestamp())


def customer(name: str, email: object = None, day: float = 0, **members: Any) -> Json:
    """A Chargebee customer; without an e-mail when None."""
    found = {"id": name, "object": "customer", "deleted": False, **_version(day), **members}
    return found if email is None else {**found, "email": email}


def invoice(name: str, owner: str, total: int, day: float = 0, **members: Any) -> Json:
    """An invoice of one line; `tax` and `lines` (amounts without tax) may be given."""
    tax = members.pop("tax", 0)
    lines = members.pop("lines", [total - tax])
    return {
        "id": name, "object": "invoice", "customer_id": owner, "status": "paid", "total": total,
        "tax": tax, "currency_code": "USD", "price_type": "tax_exclusive", "date": epoch(day),
        "deleted": False, "write_off_amount": 0, **_version(day),
        "line_items": [
            {"id": f"{name}_{position}", "object": "line_item", "amount": amount,
             "tax_amount": tax if position == 0 else 0, "discount_amount": 0,
             "entity_type": "plan_item_price", "entity_id": "pro"}
            for position, amount in enumerate(lines)
        ],
        **members,
    }  # fmt: skip


def payment(
    name: str, payer: str, amount: int, applied: dict[str, int], day: float = 0, **members: Any
) -> Json:
    """A payment; `applied` is what it applied to which invoice."""
    return {
        "id": name, "object": "transaction", "type": "payment", "status": "success",
        "customer_id": payer, "amount": amount, "currency_code": "USD", "payment_method": "card",
        "gateway": "chargebee", "date": epoch(day), "deleted": False, **_version(day),
        "linked_invoices": [
            {"invoice_id": invoice_id, "applied_amount": share, "applied_at": epoch(day)}
            for invoice_id, share in applied.items()
        ],
        **members,
    }  # fmt: skip


def refund(
    name: str, of: str, amount: int, day: float = 1, notes: dict[str, int] | None = None,
    **members: Any,
) -> Json:  # fmt: skip
    """A refund of a payment; `notes` says how much of it belongs to which invoice."""
    return {
        "id": name, "object": "transaction", "type": "refund", "status": "success",
        "amount": amount, "currency_code": "USD", "payment_method": "card",
        "gateway": "chargebee", "date": epoch(day), "deleted": False, **_version(day),
        "refunded_txn_id": of,
        "linked_credit_notes": [
            {"cn_id": f"CN-{name}-{invoice_id}", "applied_amount": share,
             "cn_reference_invoice_id": invoice_id}
            for invoice_id, share in (notes or {}).items()
        ],
        **members,
    }  # fmt: skip


def credit_note(
    name: str, invoice_id: str, total: int, day: float = 1, kind: str = "adjustment", **members: Any
) -> Json:
    """A credit note of one line without tax."""
    return {
        "id": name, "object": "credit_note", "reference_invoice_id": invoice_id, "type": kind,
        "status": "adjusted" if kind == "adjustment" else "refunded", "total": total,
        "currency_code": "USD", "price_type": "tax_exclusive", "date": epoch(day),
        "deleted": False, **_version(day),
        "line_items": [{"id": f"{name}_0", "amount": total, "tax_amount": 0}],
        **members,
    }  # fmt: skip


def _version(day: float) -> Json:
    return {"resource_version": epoch(day) * 1000, "updated_at": epoch(day)}


def event(name: str, event_type: str, day: float = 0, **content: Any) -> Json:
    """An event as Chargebee posts it; `content` by kind."""
    return {
        "id": name, "object": "event", "api_version": "v2", "source": "api",
        "event_type": event_type, "occurred_at": epoch(day), "content": content,
    }  # fmt: skip


def paid(
    name: str, payer: str, email: object, amount: int = 10_000, day: float = 0, **members: Any
) -> Json:
    """A payment_succeeded event: payment `txn_NAME` pays all of invoice `inv_NAME`.

    `invoice` names another invoice, `total` and `tax` its sums; other members go to the payment.
    """
    invoice_id = members.pop("invoice", f"inv_{name}")
    total = members.pop("total", amount)
    tax = members.pop("tax", 0)
    currency = members.get("currency_code", "USD")
    return event(
        f"ev_{name}",
        "payment_succeeded",
        day,
        transaction=payment(f"txn_{name}", payer, amount, {invoice_id: amount}, day, **members),
        invoice=invoice(invoice_id, payer, total, tax=tax, currency_code=currency),
        customer=customer(payer, email, day),
    )


def refunded(name: str, of: str, amount: int, day: float = 1, **members: Any) -> Json:
    """A payment_refunded event: refund `txn_NAME` of a payment."""
    return event(
        f"ev_{name}",
        "payment_refunded",
        day,
        transaction=refund(f"txn_{name}", of, amount, day, **members),
    )
