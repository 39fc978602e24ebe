"""Money going back: refunds at once or later, chargebacks, and chargebacks won (pure)."""

from collections.abc import Sequence

from rewards_service.simulator import credit_notes
from rewards_service.simulator.customers import refresh_balances
from rewards_service.simulator.errors import wrong_state, wrong_value
from rewards_service.simulator.events import emit
from rewards_service.simulator.invoices import changed
from rewards_service.simulator.payments import OFFLINE, SUCCESS, UNDERWAY, tell, transaction
from rewards_service.simulator.site import Row, Site

MOVES = (SUCCESS, UNDERWAY)
Part = tuple[Row, int]  # (invoice, how much of it)


def refunded_of(site: Site, payment: Row, invoice_id: str) -> int:
    """What was refunded of a payment's share in one invoice."""
    found = 0
    for link in payment["linked_refunds"]:
        if link["txn_status"] in MOVES:
            refund = site.find("transaction", link["txn_id"], deleted=True)
            found += sum(
                note["applied_amount"]
                for note in refund["linked_credit_notes"]
                if note["cn_reference_invoice_id"] == invoice_id
            )
    return found


def shares(site: Site, payment: Row) -> list[Part]:
    """What can still be refunded of each invoice that the payment paid."""
    found = []
    for link in payment["linked_invoices"]:
        invoice = site.find("invoice", link["invoice_id"], deleted=True)
        left = link["applied_amount"] - refunded_of(site, payment, invoice["id"])
        left = min(left, credit_notes.creditable(site, invoice))
        if left > 0:
            found.append((invoice, left))
    return found


def of_invoice(site: Site, invoice: Row) -> list[tuple[Row, int]]:
    """The invoice's successful payments, newest first, with what can be refunded of each."""
    found = []
    for link in reversed(invoice["linked_payments"]):
        payment = site.find("transaction", link["txn_id"], deleted=True)
        if payment["status"] == SUCCESS:
            left = sum(amount for row, amount in shares(site, payment) if row is invoice)
            found += [(payment, left)] if left else []
    return found


def refund_invoice(
    site: Site,
    invoice: Row,
    amount: int | None = None,
    *,
    method: str | None = None,
    status: str = SUCCESS,
    reason: str = "other",
    date: int | None = None,
) -> Row:
    """Refund an invoice from its newest payment; by hand when an offline `method` is given."""
    offline = method is not None
    found = [
        (payment, left)
        for payment, left in of_invoice(site, invoice)
        if offline or payment["payment_method"] not in OFFLINE
    ]
    if not found:
        raise wrong_state(f"Invoice {invoice['id']} has no payment to refund.")
    payment, most = found[0]
    wanted = most if amount is None else amount
    if not 0 < wanted <= most:
        raise wrong_value("refund_amount", f"must be from 1 to {most}")
    return take_back(
        site, payment, [(invoice, wanted)], method=method, status=status, reason=reason, date=date
    )


def refund_payment(
    site: Site,
    payment: Row,
    amount: int | None = None,
    *,
    method: str | None = None,
    status: str = SUCCESS,
) -> Row:
    """Refund a payment: first what is unused, then of its invoices, in their order."""
    if payment["type"] != "payment" or payment["status"] != SUCCESS:
        raise wrong_state(f"{payment['id']} is no successful payment.")
    open_parts = shares(site, payment)
    most = payment["amount_unused"] + sum(left for _, left in open_parts)
    wanted = most if amount is None else amount
    if not 0 < wanted <= most:
        raise wrong_value("amount", f"must be from 1 to {most}")
    unused = min(wanted, payment["amount_unused"])
    parts, rest = [], wanted - unused
    for invoice, left in open_parts:
        taken = min(rest, left)
        parts += [(invoice, taken)] if taken else []
        rest -= taken
    return take_back(site, payment, parts, unused=unused, method=method, status=status)


def take_back(  # noqa: PLR0913 - the members that differ
    site: Site,
    payment: Row,
    parts: Sequence[Part],
    *,
    unused: int = 0,
    method: str | None = None,
    status: str = SUCCESS,
    reason: str = "other",
    date: int | None = None,
    paying: Row | None = None,
) -> Row:
    """Make one refund of a payment, with a credit note for each invoice it is taken from.

    paying: a credit note that is there already and is paid out by this refund.
    """
    how = method or payment["payment_method"]
    whole = unused + sum(amount for _, amount in parts)
    whole += 0 if paying is None else paying["amount_available"]
    refund = transaction(
        site, payment["customer_id"], payment["currency_code"], whole, kind="refund", method=how,
        status=status, date=date,
    )  # fmt: skip
    offline = how in OFFLINE or how == "chargeback"
    refund["reference_transaction_id" if offline else "refunded_txn_id"] = payment["id"]
    refund["linked_credit_notes"] = []
    if "subscription_id" in payment:
        refund["subscription_id"] = payment["subscription_id"]
    payment["amount_unused"] -= unused
    payment["linked_refunds"].append({
        "txn_id": refund["id"], "txn_status": status, "txn_date": refund["date"],
        "txn_amount": whole,
    })  # fmt: skip
    notes = [_note(site, refund, invoice, amount, reason) for invoice, amount in parts]
    if paying is not None:
        link(site, refund, paying, paying["amount_available"])
        emit(site, "credit_note_updated", credit_note=paying)
    site.touch("transaction", payment)
    for invoice, _ in parts:
        changed(site, invoice)
    refresh_balances(site, payment["customer_id"])
    emit(site, "transaction_updated", transaction=payment)
    for note in notes:
        emit(site, "credit_note_created", credit_note=note)
    emit(site, "transaction_created", transaction=refund)
    tell_refund(site, "payment_refunded" if status == SUCCESS else "refund_initiated", refund)
    return refund


def _note(site: Site, refund: Row, invoice: Row, amount: int, reason: str) -> Row:
    note = credit_notes.issue(site, invoice, amount, credit_notes.REFUNDABLE, reason)
    link(site, refund, note, amount)
    return note


def link(site: Site, refund: Row, note: Row, amount: int) -> None:
    """The refund pays out so much of a credit note."""
    note["linked_refunds"].append({
        "txn_id": refund["id"], "applied_amount": amount, "applied_at": site.now,
        "txn_status": refund["status"], "txn_date": refund["date"],
        "txn_amount": refund["amount"],
    })  # fmt: skip
    credit_notes.refresh(site, note)
    refund["linked_credit_notes"].append({
        "cn_id": note["id"], "applied_amount": amount, "applied_at": site.now,
        "cn_reason_code": note["reason_code"], "cn_create_reason_code": note["create_reason_code"],
        "cn_date": note["date"], "cn_total": note["total"], "cn_status": note["status"],
        "cn_reference_invoice_id": note["reference_invoice_id"],
    })  # fmt: skip


def tell_refund(site: Site, event_type: str, refund: Row) -> None:
    notes = notes_of(site, refund)
    invoice = None
    if notes:
        invoice = site.find("invoice", notes[0]["reference_invoice_id"], deleted=True)
    tell(site, event_type, refund, invoice, credit_note=notes[0] if notes else None)


def notes_of(site: Site, refund: Row) -> list[Row]:
    return [
        site.find("credit_note", note["cn_id"], deleted=True)
        for note in refund["linked_credit_notes"]
    ]


def finish(site: Site, refund: Row, succeeded: bool) -> None:
    """The outcome of a refund that was in progress; after a failure its notes stay due."""
    if refund["type"] != "refund" or refund["status"] != UNDERWAY:
        raise wrong_state(f"{refund['id']} is no refund in progress.")
    set_status(site, refund, SUCCESS if succeeded else "failure")
    if succeeded:
        tell_refund(site, "payment_refunded", refund)
    else:
        emit(site, "transaction_updated", transaction=refund)


def set_status(site: Site, refund: Row, status: str) -> None:
    """A refund's status, in its own links and everybody's who links to it."""
    was, refund["status"] = refund["status"], status
    key = refund.get("refunded_txn_id") or refund["reference_transaction_id"]
    payment = site.find("transaction", key, deleted=True)
    for item in payment["linked_refunds"]:
        if item["txn_id"] == refund["id"]:
            item["txn_status"] = status
    if was in MOVES and status not in MOVES:
        in_notes = sum(note["applied_amount"] for note in refund["linked_credit_notes"])
        payment["amount_unused"] += refund["amount"] - in_notes
    for note, item in zip(notes_of(site, refund), refund["linked_credit_notes"], strict=True):
        for other in note["linked_refunds"]:
            if other["txn_id"] == refund["id"]:
                other["txn_status"] = status
        credit_notes.refresh(site, note)
        item["cn_status"] = note["status"]
        emit(site, "credit_note_updated", credit_note=note)
    site.touch("transaction", refund)
    site.touch("transaction", payment)
    refresh_balances(site, payment["customer_id"])
    emit(site, "transaction_updated", transaction=payment)
