"""What each call of the API does: (site, parameters, ids of the path) to an answer (pure)."""

from collections.abc import Callable
from typing import Any

from rewards_service.simulator import (
    billing,
    catalog,
    credit_notes,
    customers,
    losses,
    payments,
    refunds,
    subscriptions,
)
from rewards_service.simulator.errors import missing, payment_failed, wrong_value
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params

Operation = Callable[..., dict[str, Any]]


def of_customer(site: Site, customer: Row) -> dict[str, Any]:
    card = site.cards.get(customer["id"])
    return {"customer": customer} if card is None else {"customer": customer, "card": card}


def create_customer(site: Site, params: Params) -> dict[str, Any]:
    return of_customer(site, customers.create(site, params))


def update_customer(site: Site, params: Params, key: str) -> dict[str, Any]:
    return of_customer(site, customers.update(site, key, params))


def update_billing(site: Site, params: Params, key: str) -> dict[str, Any]:
    return of_customer(site, customers.update_billing(site, key, params))


def delete_customer(site: Site, _params: Params, key: str) -> dict[str, Any]:
    return {"customer": customers.delete(site, key)}


def link_customer(site: Site, params: Params, key: str) -> dict[str, Any]:
    return {"customer": customers.link(site, key, params)}


def unlink_customer(site: Site, _params: Params, key: str) -> dict[str, Any]:
    return {"customer": customers.unlink(site, key)}


def hierarchy(site: Site, _params: Params, key: str) -> dict[str, Any]:
    return customers.hierarchy(site, key)


def create_of(kind: str) -> Operation:
    return lambda site, params: {kind: catalog.create(site, kind, params)}


def update_of(kind: str) -> Operation:
    return lambda site, params, key: {kind: catalog.update(site, kind, key, params)}


def delete_of(kind: str) -> Operation:
    return lambda site, _params, key: {kind: catalog.delete(site, kind, key)}


def subscribe(site: Site, params: Params, key: str) -> dict[str, Any]:
    row, invoice = subscriptions.create(site, key, params)
    return _of_subscription(site, row, invoice=invoice)


def _of_subscription(site: Site, row: Row, **more: Any) -> dict[str, Any]:
    customer = site.tables["customer"].rows[row["customer_id"]]
    beside = {name: value for name, value in more.items() if value is not None}
    return {"subscription": row, **of_customer(site, customer), **beside}


def change_subscription(site: Site, params: Params, key: str) -> dict[str, Any]:
    row = site.find("subscription", key)
    invoice, note = subscriptions.change(site, row, params)
    notes = None if note is None else [note]
    return _of_subscription(site, row, invoice=invoice, credit_notes=notes)


def cancel_subscription(site: Site, params: Params, key: str) -> dict[str, Any]:
    row = site.find("subscription", key)
    note = subscriptions.cancel(site, row, params)
    return _of_subscription(site, row, credit_notes=None if note is None else [note])


def delete_subscription(site: Site, _params: Params, key: str) -> dict[str, Any]:
    row = site.find("subscription", key)
    subscriptions.delete(site, row)
    return _of_subscription(site, row)


def charge(site: Site, params: Params) -> dict[str, Any]:
    return {"invoice": billing.one_time(site, params)}


def record_payment(site: Site, params: Params, key: str) -> dict[str, Any]:
    """A payment that came another way: the caller says how much, how and when."""
    invoice = site.find("invoice", key)
    given = params.inside("transaction")
    method = given.required("payment_method")
    if method not in payments.OFFLINE:
        raise wrong_value("transaction[payment_method]", "must be an offline method")
    status = given.choice("status", ("success", "failure")) or "success"
    row = payments.pay(
        site, invoice, given.amount("amount", 1), method=method, date=given.amount("date"),
        reference=given.text("reference_number", 100), status=status,
    )  # fmt: skip
    return {"invoice": invoice, "transaction": row}


def collect(site: Site, params: Params, key: str) -> dict[str, Any]:
    """Take what is due from the payer's card now. Raises ApiError of type payment without one."""
    invoice = site.find("invoice", key)
    payer = site.find("customer", payments.payer_of(invoice))
    if payer["card_status"] != "valid":
        raise payment_failed("payment_method_not_present", "The customer has no card.")
    amount = params.amount("amount", 1)
    if payer.get("cf_declined") == "true":
        payments.pay(site, invoice, amount, status=payments.FAILURE)
        raise payment_failed("payment_processing_failed", "The card was declined.")
    row = payments.pay(site, invoice, amount)
    return {"invoice": invoice, "transaction": row}


def apply_payments(site: Site, params: Params, key: str) -> dict[str, Any]:
    """Use excess payments: those named, or all the customer's, oldest first."""
    invoice = site.find("invoice", key)
    named = [site.find("transaction", entry.required("id")) for entry in
             params.rows("transactions")]  # fmt: skip
    spare = named or [
        row
        for row in site.of_customer("transaction", invoice["customer_id"])
        if row.get("amount_unused") and row["currency_code"] == invoice["currency_code"]
    ]
    for row in spare:
        if invoice["amount_to_collect"] or named:
            payments.apply_excess(site, row, invoice)
    return {"invoice": invoice}


def apply_credits(site: Site, params: Params, key: str) -> dict[str, Any]:
    invoice = site.find("invoice", key)
    for entry in params.rows("credit_notes"):
        credit_notes.use(site, site.find("credit_note", entry.required("id")), invoice)
    return {"invoice": invoice}


def excess(site: Site, params: Params, key: str) -> dict[str, Any]:
    customer = site.find("customer", key)
    given = params.inside("transaction")
    row = payments.excess(
        site, customer, given.required_amount("amount", 1), currency=given.currency(),
        method=given.choice("payment_method", payments.OFFLINE) or "bank_transfer",
        date=given.amount("date"), key=given.text("id", 40),
    )  # fmt: skip
    return {"customer": customer, "transaction": row}


def refund_invoice(site: Site, params: Params, key: str) -> dict[str, Any]:
    invoice = site.find("invoice", key)
    reason = params.inside("credit_note").choice("reason_code", credit_notes.REASONS) or "other"
    row = refunds.refund_invoice(site, invoice, params.amount("refund_amount", 1), reason=reason)
    return _of_refund(site, invoice, row)


def record_refund(site: Site, params: Params, key: str) -> dict[str, Any]:
    invoice = site.find("invoice", key)
    given = params.inside("transaction")
    method = given.choice("payment_method", payments.OFFLINE)
    if method is None:
        raise missing("transaction[payment_method]")
    reason = params.inside("credit_note").choice("reason_code", credit_notes.REASONS) or "other"
    row = refunds.refund_invoice(
        site, invoice, given.amount("amount", 1), method=method, reason=reason,
        date=given.amount("date"),
    )  # fmt: skip
    return _of_refund(site, invoice, row)


def _of_refund(site: Site, invoice: Row, refund: Row) -> dict[str, Any]:
    note = site.find("credit_note", refund["linked_credit_notes"][0]["cn_id"])
    return {"invoice": invoice, "transaction": refund, "credit_note": note}


def refund_payment(site: Site, params: Params, key: str) -> dict[str, Any]:
    payment = site.find("transaction", key)
    if payment["payment_method"] in payments.OFFLINE:
        raise wrong_value("transaction_id", "is an offline payment; record its refund")
    return {"transaction": refunds.refund_payment(site, payment, params.amount("amount", 1))}


def record_payment_refund(site: Site, params: Params, key: str) -> dict[str, Any]:
    payment = site.find("transaction", key)
    method = params.choice("payment_method", payments.OFFLINE)
    if method is None:
        raise missing("payment_method")
    amount = params.amount("amount", 1)
    return {"transaction": refunds.refund_payment(site, payment, amount, method=method)}


def void_payment(site: Site, _params: Params, key: str) -> dict[str, Any]:
    row = site.find("transaction", key)
    losses.void(site, row)
    return {"transaction": row}


def delete_payment(site: Site, _params: Params, key: str) -> dict[str, Any]:
    row = site.find("transaction", key)
    losses.delete_offline(site, row)
    return {"transaction": row}


def void_invoice(site: Site, params: Params, key: str) -> dict[str, Any]:
    row = site.find("invoice", key)
    losses.void_invoice(site, row, params.text("void_reason_code", 100))
    return {"invoice": row}


def delete_invoice(site: Site, _params: Params, key: str) -> dict[str, Any]:
    row = site.find("invoice", key)
    losses.delete_invoice(site, row)
    return {"invoice": row}
