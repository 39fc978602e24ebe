"""Payments that a bank takes back, and credit notes paid out later (pure)."""

from rewards_service.simulator import refunds
from rewards_service.simulator.errors import wrong_state
from rewards_service.simulator.events import emit
from rewards_service.simulator.invoices import changed
from rewards_service.simulator.payments import OFFLINE, SUCCESS
from rewards_service.simulator.site import Row, Site


def charge_back(site: Site, payment: Row) -> Row:
    """The payer's bank takes back all that is left of a payment."""
    if payment["type"] != "payment" or payment["status"] != SUCCESS:
        raise wrong_state(f"{payment['id']} is no payment that can be charged back.")
    parts = refunds.shares(site, payment)
    if not parts and not payment["amount_unused"]:
        raise wrong_state(f"{payment['id']} has nothing left to charge back.")
    return refunds.take_back(
        site, payment, parts, unused=payment["amount_unused"], method="chargeback",
        reason="chargeback",
    )  # fmt: skip


def win_back(site: Site, refund: Row) -> None:
    """A chargeback is won: its refund and its credit notes are void, the payment counts again."""
    if refund.get("payment_method") != "chargeback" or refund["status"] != SUCCESS:
        raise wrong_state(f"{refund['id']} is no open chargeback.")
    refund["voided_at"] = site.now
    for note in refunds.notes_of(site, refund):
        note |= {"status": "voided", "voided_at": site.now}
    refunds.set_status(site, refund, "voided")
    for note in refunds.notes_of(site, refund):
        changed(site, site.find("invoice", note["reference_invoice_id"], deleted=True))
    emit(site, "transaction_updated", transaction=refund)


def refund_note(site: Site, note: Row, method: str | None = None) -> Row:
    """Pay out what a credit note still holds, from a payment of its invoice."""
    invoice = site.find("invoice", note["reference_invoice_id"], deleted=True)
    wanted = note["amount_available"]
    for item in reversed(invoice["linked_payments"]):
        payment = site.find("transaction", item["txn_id"], deleted=True)
        applied = item["applied_amount"] - refunds.refunded_of(site, payment, invoice["id"])
        if note["status"] != "refund_due" or payment["status"] != SUCCESS:
            continue
        if 0 < wanted <= applied and (method or payment["payment_method"] not in OFFLINE):
            return refunds.take_back(site, payment, [], method=method, paying=note)
    raise wrong_state(f"{note['id']} cannot be refunded from one payment of its invoice.")
