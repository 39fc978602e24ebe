"""Payments that are lost without a refund: late failures, voids, deletions (pure)."""

from rewards_service.simulator.customers import refresh_balances
from rewards_service.simulator.errors import wrong_state
from rewards_service.simulator.events import emit
from rewards_service.simulator.invoices import changed
from rewards_service.simulator.payments import OFFLINE, SUCCESS, tell, transaction, unlink
from rewards_service.simulator.site import Row, Site


def _untouched(payment: Row) -> None:
    """Refuse what is no successful payment, or has refunds."""
    if payment["type"] != "payment" or payment["status"] != SUCCESS:
        raise wrong_state(f"{payment['id']} is no successful payment.")
    if any(link["txn_status"] in (SUCCESS, "in_progress") for link in payment["linked_refunds"]):
        raise wrong_state(f"{payment['id']} has refunds.")


def fail_late(site: Site, payment: Row) -> Row:
    """A payment that had succeeded fails days later; a reversal takes it back."""
    _untouched(payment)
    reversal = transaction(
        site, payment["customer_id"], payment["currency_code"], payment["amount"],
        kind="payment_reversal", method=payment["payment_method"],
    )  # fmt: skip
    reversal["reference_transaction_id"] = payment["id"]
    payment |= {
        "status": "late_failure", "reversal_transaction_id": reversal["id"], "amount_unused": 0,
        "error_code": "insufficient_funds", "error_text": "Insufficient funds",
    }  # fmt: skip
    site.touch("transaction", payment)
    invoices = []
    for applied in payment["linked_invoices"]:
        invoice = site.find("invoice", applied["invoice_id"], deleted=True)
        invoices.append(invoice)
        for link in invoice["linked_payments"]:
            if link["txn_id"] == payment["id"]:
                link["txn_status"] = "late_failure"
        changed(site, invoice)
    refresh_balances(site, payment["customer_id"])
    emit(site, "transaction_created", transaction=reversal)
    emit(site, "transaction_updated", transaction=payment)
    tell(site, "payment_failed", payment, invoices[0] if invoices else None)
    return reversal


def void(site: Site, payment: Row) -> None:
    """The payment is void: as if it had never come."""
    _untouched(payment)
    payment |= {"status": "voided", "voided_at": site.now}
    _take_off(site, payment)
    emit(site, "transaction_updated", transaction=payment)


def delete_offline(site: Site, payment: Row) -> None:
    """A payment that a person had entered is deleted again."""
    if payment["payment_method"] not in OFFLINE:
        raise wrong_state(f"{payment['id']} is no offline payment.")
    _untouched(payment)
    payment["deleted"] = True
    _take_off(site, payment)
    emit(site, "transaction_deleted", transaction=payment)


def _take_off(site: Site, payment: Row) -> None:
    for invoice in unlink(site, payment, unused=0):
        changed(site, invoice)
    refresh_balances(site, payment["customer_id"])


def void_invoice(site: Site, invoice: Row, reason: str | None = None) -> None:
    """The invoice is void; what was paid for it is the customer's again, unused."""
    if invoice["status"] == "voided":
        raise wrong_state(f"Invoice {invoice['id']} is voided already.")
    notes = [*invoice["issued_credit_notes"], *invoice["adjustment_credit_notes"]]
    if invoice["applied_credits"] or any(note["cn_status"] != "voided" for note in notes):
        raise wrong_state(f"Invoice {invoice['id']} has credit notes.")
    _no_money_underway(invoice)
    _free(site, invoice)
    invoice |= {
        "status": "voided", "voided_at": site.now, "amount_paid": 0, "amount_due": 0,
        "amount_to_collect": 0,
    }  # fmt: skip
    invoice.pop("paid_at", None)
    if reason is not None:
        invoice["void_reason_code"] = reason
    site.touch("invoice", invoice)
    refresh_balances(site, invoice["customer_id"])
    emit(site, "invoice_updated", invoice=invoice)


def delete_invoice(site: Site, invoice: Row) -> None:
    """A tombstone; what was paid for it is the customer's again, unused."""
    if invoice["applied_credits"] or invoice["issued_credit_notes"]:
        raise wrong_state(f"Invoice {invoice['id']} has credit notes.")
    _no_money_underway(invoice)
    _free(site, invoice)
    invoice["deleted"] = True
    site.touch("invoice", invoice)
    refresh_balances(site, invoice["customer_id"])
    emit(site, "invoice_deleted", invoice=invoice)


def _no_money_underway(invoice: Row) -> None:
    if any(link["txn_status"] == "in_progress" for link in invoice["linked_payments"]):
        raise wrong_state(f"Invoice {invoice['id']} has a payment in progress.")


def _free(site: Site, invoice: Row) -> None:
    """Turn the invoice's payments into excess payments; failed ones are just no longer its own."""
    for link in invoice["linked_payments"]:
        payment = site.find("transaction", link["txn_id"], deleted=True)
        payment["linked_invoices"] = [
            applied
            for applied in payment["linked_invoices"]
            if applied["invoice_id"] != invoice["id"]
        ]
        if payment["status"] == SUCCESS:
            payment["amount_unused"] += link["applied_amount"]
        site.touch("transaction", payment)
        refresh_balances(site, payment["customer_id"])
        emit(site, "transaction_updated", transaction=payment)
    invoice["linked_payments"] = []
