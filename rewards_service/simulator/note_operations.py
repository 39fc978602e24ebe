"""What the calls about credit notes, gifts and webhook endpoints do (pure)."""

from typing import Any

from rewards_service.simulator import chargebacks, credit_notes, gifts, payments
from rewards_service.simulator.errors import missing, wrong_value
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params


def create(site: Site, params: Params) -> dict[str, Any]:
    """By a total, or by amounts (with tax) on lines of the invoice."""
    kind = params.choice("type", (credit_notes.REFUNDABLE, credit_notes.ADJUSTMENT))
    if kind is None:
        raise missing("type")
    invoice = site.find("invoice", params.required("reference_invoice_id", 50))
    reason = params.choice("reason_code", credit_notes.REASONS) or "other"
    shares = _shares(invoice, params.rows("line_items"))
    total = params.required_amount("total", 1) if shares is None else sum(shares)
    note = credit_notes.create(site, invoice, total, kind, reason, shares)
    return {"credit_note": note, "invoice": invoice}


def _shares(invoice: Row, rows: list[Params]) -> list[int] | None:
    """How much of the note is on each line of the invoice; None when no lines are given."""
    if not rows:
        return None
    lines = {line["id"]: position for position, line in enumerate(invoice["line_items"])}
    found = [0] * len(lines)
    for entry in rows:
        key = entry.required("reference_line_item_id", 40)
        if key not in lines:
            raise wrong_value(entry.name("reference_line_item_id"), "is no line of the invoice")
        amount = entry.amount("amount", 1) or entry.required_amount("unit_amount", 1)
        found[lines[key]] += amount
    return found


def write_off(site: Site, _params: Params, key: str) -> dict[str, Any]:
    invoice = site.find("invoice", key)
    return {"credit_note": credit_notes.write_off(site, invoice), "invoice": invoice}


def void(site: Site, _params: Params, key: str) -> dict[str, Any]:
    note = site.find("credit_note", key)
    credit_notes.void(site, note)
    return {"credit_note": note}


def delete(site: Site, _params: Params, key: str) -> dict[str, Any]:
    note = site.find("credit_note", key)
    credit_notes.delete(site, note)
    return {"credit_note": note}


def refund(site: Site, _params: Params, key: str) -> dict[str, Any]:
    note = site.find("credit_note", key)
    return {"credit_note": note, "transaction": chargebacks.refund_note(site, note)}


def record_refund(site: Site, params: Params, key: str) -> dict[str, Any]:
    note = site.find("credit_note", key)
    method = params.inside("transaction").choice("payment_method", payments.OFFLINE)
    if method is None:
        raise missing("transaction[payment_method]")
    return {"credit_note": note, "transaction": chargebacks.refund_note(site, note, method)}


def give(site: Site, params: Params) -> dict[str, Any]:
    gifter = site.find("customer", params.inside("gifter").required("customer_id", 50))
    receiver = site.find("customer", params.inside("gift_receiver").required("customer_id", 50))
    gift, subscription, invoice = gifts.give(site, gifter, receiver, params)
    return {"gift": gift, "subscription": subscription, "invoice": invoice}


def claim(site: Site, _params: Params, key: str) -> dict[str, Any]:
    gift = site.find("gift", key)
    gifts.claim(site, gift)
    subscription = site.find("subscription", gift["gift_receiver"]["subscription_id"])
    return {"gift": gift, "subscription": subscription}
