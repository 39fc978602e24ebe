"""Scenario verbs about money: it comes, comes in part, fails, goes back (pure)."""

from typing import Any

from rewards_service.simulator import chargebacks, credit_notes, losses, payments, refunds
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params

Done = dict[str, Any]


def _invoice(site: Site, given: Params) -> Row:
    return site.find("invoice", given.required("invoice_id"))


def _transaction(site: Site, given: Params) -> Row:
    return site.find("transaction", given.required("transaction_id"))


def _paid(row: Row) -> Done:
    return {"transaction_id": row["id"], "amount": row["amount"], "status": row["status"]}


def pay(site: Site, given: Params) -> Done:
    """By card; whole, or `amount` of it."""
    return _paid(payments.pay(site, _invoice(site, given), given.amount("amount", 1)))


def pay_offline(site: Site, given: Params) -> Done:
    """By hand; whole, or `amount` of it; what is beyond the due stays unused."""
    method = given.choice("method", payments.OFFLINE) or "bank_transfer"
    amount = given.amount("amount", 1)
    return _paid(payments.pay(site, _invoice(site, given), amount, method=method))


def fail(site: Site, given: Params) -> Done:
    """The card is declined."""
    return _paid(payments.pay(site, _invoice(site, given), status=payments.FAILURE))


def start_payment(site: Site, given: Params) -> Done:
    """A direct debit is under way."""
    row = payments.pay(site, _invoice(site, given), method="direct_debit", status=payments.UNDERWAY)
    return _paid(row)


def finish_payment(site: Site, given: Params) -> Done:
    """The outcome of a payment under way: `succeeded` or not."""
    row = _transaction(site, given)
    payments.finish(site, row, given.flag("succeeded") is not False)
    return _paid(row)


def pay_excess(site: Site, given: Params) -> Done:
    """Money in advance."""
    customer = site.find("customer", given.required("customer_id"))
    return _paid(payments.excess(site, customer, given.required_amount("amount", 1)))


def apply_excess(site: Site, given: Params) -> Done:
    row = _transaction(site, given)
    payments.apply_excess(site, row, _invoice(site, given), given.amount("amount", 1))
    return _paid(row)


def pay_many(site: Site, given: Params) -> Done:
    """One payment for several invoices of one payer."""
    rows = [site.find("invoice", key) for key in given.words("invoice_ids") or ()]
    if not rows:
        given.required("invoice_ids")
    return _paid(payments.pay_many(site, rows))


def refund(site: Site, given: Params) -> Done:
    """Money goes back at once; `offline` by hand."""
    method = "bank_transfer" if given.flag("offline") else None
    amount = given.amount("amount", 1)
    return _paid(refunds.refund_invoice(site, _invoice(site, given), amount, method=method))


def refund_payment(site: Site, given: Params) -> Done:
    """Money of a payment goes back, first what is unused of it."""
    row = _transaction(site, given)
    method = "bank_transfer" if row["payment_method"] in payments.OFFLINE else None
    return _paid(refunds.refund_payment(site, row, given.amount("amount", 1), method=method))


def start_refund(site: Site, given: Params) -> Done:
    """A refund is under way."""
    amount = given.amount("amount", 1)
    row = refunds.refund_invoice(site, _invoice(site, given), amount, status=payments.UNDERWAY)
    return _paid(row)


def finish_refund(site: Site, given: Params) -> Done:
    row = _transaction(site, given)
    refunds.finish(site, row, given.flag("succeeded") is not False)
    return _paid(row)


def chargeback(site: Site, given: Params) -> Done:
    """The payer's bank takes a payment back."""
    return _paid(chargebacks.charge_back(site, _transaction(site, given)))


def win_back(site: Site, given: Params) -> Done:
    """A chargeback (its refund's id) is won."""
    row = _transaction(site, given)
    chargebacks.win_back(site, row)
    return _paid(row)


def late_failure(site: Site, given: Params) -> Done:
    """A payment that had succeeded fails."""
    return _paid(losses.fail_late(site, _transaction(site, given)))


def void_payment(site: Site, given: Params) -> Done:
    row = _transaction(site, given)
    losses.void(site, row)
    return _paid(row)


def delete_offline(site: Site, given: Params) -> Done:
    row = _transaction(site, given)
    losses.delete_offline(site, row)
    return _paid(row)


def void_invoice(site: Site, given: Params) -> Done:
    row = _invoice(site, given)
    losses.void_invoice(site, row, given.text("reason", 100))
    return {"invoice_id": row["id"]}


def delete_invoice(site: Site, given: Params) -> Done:
    row = _invoice(site, given)
    losses.delete_invoice(site, row)
    return {"invoice_id": row["id"]}


def write_off(site: Site, given: Params) -> Done:
    return {"credit_note_id": credit_notes.write_off(site, _invoice(site, given))["id"]}


def credit(site: Site, given: Params) -> Done:
    """A credit note that moves no money yet: `refundable`, or `adjustment` of what is due."""
    kinds = (credit_notes.REFUNDABLE, credit_notes.ADJUSTMENT)
    kind = given.choice("type", kinds) or credit_notes.REFUNDABLE
    reason = given.choice("reason", credit_notes.REASONS) or "other"
    amount = given.required_amount("amount", 1)
    note = credit_notes.create(site, _invoice(site, given), amount, kind, reason)
    return {"credit_note_id": note["id"]}


def _note(site: Site, given: Params) -> Row:
    return site.find("credit_note", given.required("credit_note_id"))


def refund_credit(site: Site, given: Params) -> Done:
    """What a credit note still holds is paid out."""
    method = "bank_transfer" if given.flag("offline") else None
    return _paid(chargebacks.refund_note(site, _note(site, given), method))


def use_credit(site: Site, given: Params) -> Done:
    """What a credit note still holds pays another invoice."""
    amount = credit_notes.use(site, _note(site, given), _invoice(site, given))
    return {"amount": amount}


def void_credit(site: Site, given: Params) -> Done:
    note = _note(site, given)
    credit_notes.void(site, note)
    return {"credit_note_id": note["id"]}


def delete_credit(site: Site, given: Params) -> Done:
    note = _note(site, given)
    credit_notes.delete(site, note)
    return {"credit_note_id": note["id"]}
