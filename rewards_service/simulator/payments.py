"""Money coming in: payments by card, debit or by hand, in parts, in advance, and gone (pure)."""

from rewards_service.simulator.customers import money_members, refresh_balances
from rewards_service.simulator.errors import wrong_state, wrong_value
from rewards_service.simulator.events import emit
from rewards_service.simulator.invoices import changed, payable
from rewards_service.simulator.site import Row, Site

OFFLINE = (
    "cash", "check", "bank_transfer", "ach_credit", "sepa_credit", "boleto", "other", "custom",
)  # fmt: skip
SUCCESS, FAILURE, UNDERWAY = "success", "failure", "in_progress"


def transaction(  # noqa: PLR0913 - the members that differ
    site: Site,
    customer_id: str,
    currency: str,
    amount: int,
    *,
    kind: str = "payment",
    method: str = "card",
    status: str = SUCCESS,
    date: int | None = None,
    key: str | None = None,
) -> Row:
    """A new transaction, kept, with nothing linked to it yet."""
    online = method not in OFFLINE and method != "chargeback"
    row: Row = {
        "id": key or site.new_id("txn"), "customer_id": customer_id, "payment_method": method,
        "gateway": "chargebee" if online else "not_applicable", "type": kind,
        "date": site.now if date is None else date, **money_members(currency), "amount": amount,
        "status": status, "deleted": False, "object": "transaction",
    }  # fmt: skip
    if online:
        row["gateway_account_id"] = "gw_simulator"
        row["id_at_gateway"] = site.new_id("cb")
        row["fraud_flag"] = "safe"
        card = site.cards.get(customer_id)
        if card is not None and method == "card":
            row["masked_card_number"] = card["masked_number"]
            row["payment_source_id"] = card["payment_source_id"]
    if kind == "payment":
        row |= {
            "amount_unused": amount, "linked_invoices": [], "linked_refunds": [],
            "linked_payments": [],
        }  # fmt: skip
    return site.add("transaction", row)


def apply(site: Site, payment: Row, invoice: Row, amount: int) -> None:
    """Link so much of the payment's unused money to the invoice. Events are the caller's."""
    if not 0 < amount <= min(payment["amount_unused"], invoice["amount_to_collect"]):
        raise wrong_state(
            f"{amount} of {payment['id']} cannot be applied to invoice {invoice['id']}."
        )
    if payment["currency_code"] != invoice["currency_code"]:
        raise wrong_state("The payment is in another currency than the invoice.")
    payment["amount_unused"] -= amount
    payment["linked_invoices"].append({
        "invoice_id": invoice["id"], "applied_amount": amount, "applied_at": site.now,
        "invoice_date": invoice["date"], "invoice_total": invoice["total"],
        "invoice_status": invoice["status"],
    })  # fmt: skip
    invoice["linked_payments"].append({
        "txn_id": payment["id"], "applied_amount": amount, "applied_at": site.now,
        "txn_status": payment["status"], "txn_date": payment["date"],
        "txn_amount": payment["amount"],
    })  # fmt: skip
    if "subscription_id" in invoice and "subscription_id" not in payment:
        payment["subscription_id"] = invoice["subscription_id"]
    site.touch("transaction", payment)


def tell(
    site: Site, event_type: str, payment: Row, invoice: Row | None, **more: Row | None
) -> None:
    """An event of a payment, with who paid, for what, and which subscription."""
    customer_id = payment["customer_id"] if invoice is None else invoice["customer_id"]
    subscription = site.tables["subscription"].rows.get(payment.get("subscription_id", ""))
    emit(
        site,
        event_type,
        transaction=payment,
        invoice=invoice,
        customer=site.tables["customer"].rows[customer_id],
        subscription=subscription,
        **more,
    )


def payer_of(invoice: Row) -> str:
    """The id of the customer whose money pays the invoice."""
    return str(invoice.get("payment_owner") or invoice["customer_id"])


def pay(
    site: Site,
    invoice: Row,
    amount: int | None = None,
    *,
    method: str = "card",
    date: int | None = None,
    reference: str | None = None,
    status: str = SUCCESS,
) -> Row:
    """One payment of an invoice, whole or in part; what is beyond its due stays unused.

    With status failure or in_progress the money has not come (yet).
    """
    due = payable(invoice)
    payer = payer_of(invoice)
    wanted = due if amount is None else amount
    if wanted <= 0:
        raise wrong_value("transaction[amount]", "must be at least 1")
    row = transaction(
        site, payer, invoice["currency_code"], wanted, method=method, date=date, status=status
    )
    if reference is not None:
        row["reference_number"] = reference
    if status == FAILURE:
        return _failed(site, row, invoice)
    apply(site, row, invoice, min(due, wanted))
    changed(site, invoice)
    emit(site, "transaction_created", transaction=row)
    tell(site, "payment_succeeded" if status == SUCCESS else "payment_initiated", row, invoice)
    return row


def _failed(site: Site, payment: Row, invoice: Row) -> Row:
    payment |= {
        "amount_unused": 0, "error_code": "card_declined", "error_text": "The card was declined.",
    }  # fmt: skip
    if "subscription_id" in invoice:
        payment["subscription_id"] = invoice["subscription_id"]
    attempts = invoice["dunning_attempts"]
    attempts.append({
        "attempt": len(attempts) + 1, "transaction_id": payment["id"],
        "dunning_type": "auto_collect", "created_at": site.now, "txn_status": FAILURE,
        "txn_amount": payment["amount"], "object": "dunning_attempt",
    })  # fmt: skip
    invoice["dunning_status"] = "in_progress" if len(attempts) < 4 else "exhausted"
    changed(site, invoice)
    tell(site, "payment_failed", payment, invoice)
    return payment


def finish(site: Site, payment: Row, succeeded: bool) -> None:
    """The outcome of a payment that was in progress."""
    if payment["type"] != "payment" or payment["status"] != UNDERWAY:
        raise wrong_state(f"{payment['id']} is no payment in progress.")
    _set_status(site, payment, SUCCESS if succeeded else FAILURE)
    invoices = _linked(site, payment)
    if not succeeded:
        payment["error_code"] = "insufficient_funds"
        payment["error_text"] = "Insufficient funds"
        unlink(site, payment, unused=0)
    for invoice in invoices:
        changed(site, invoice)
    event_type = "payment_succeeded" if succeeded else "payment_failed"
    tell(site, event_type, payment, invoices[0] if invoices else None)


def _set_status(site: Site, payment: Row, status: str) -> None:
    payment["status"] = status
    for invoice in _linked(site, payment):
        for link in invoice["linked_payments"]:
            if link["txn_id"] == payment["id"]:
                link["txn_status"] = status
    site.touch("transaction", payment)


def _linked(site: Site, payment: Row) -> list[Row]:
    return [
        site.find("invoice", link["invoice_id"], deleted=True)
        for link in payment["linked_invoices"]
    ]


def unlink(site: Site, payment: Row, unused: int) -> list[Row]:
    """Take the payment off its invoices; returns these. `unused` is what is left of it."""
    invoices = _linked(site, payment)
    for invoice in invoices:
        invoice["linked_payments"] = [
            link for link in invoice["linked_payments"] if link["txn_id"] != payment["id"]
        ]
    payment["linked_invoices"] = []
    payment["amount_unused"] = unused
    site.touch("transaction", payment)
    return invoices


def excess(
    site: Site,
    customer: Row,
    amount: int,
    *,
    currency: str | None = None,
    method: str = "bank_transfer",
    date: int | None = None,
    key: str | None = None,
) -> Row:
    """Money in advance: a payment for no invoice yet."""
    wanted = currency or customer["preferred_currency_code"]
    row = transaction(site, customer["id"], wanted, amount, method=method, date=date, key=key)
    refresh_balances(site, customer["id"])
    emit(site, "transaction_created", transaction=row)
    tell(site, "payment_succeeded", row, None)
    return row


def apply_excess(site: Site, payment: Row, invoice: Row, amount: int | None = None) -> None:
    """Use money paid in advance for an invoice."""
    most = min(payment.get("amount_unused", 0), payable(invoice))
    if payment["status"] != SUCCESS or most == 0:
        raise wrong_state(f"{payment['id']} has nothing left.")
    apply(site, payment, invoice, most if amount is None else amount)
    changed(site, invoice)
    refresh_balances(site, payment["customer_id"])
    emit(site, "transaction_updated", transaction=payment)


def pay_many(site: Site, invoices: list[Row], method: str = "card") -> Row:
    """One payment for what is due on several invoices of one payer and currency."""
    dues = [payable(invoice) for invoice in invoices]
    if len({(payer_of(invoice), invoice["currency_code"]) for invoice in invoices}) != 1:
        raise wrong_state("One payment is of one payer and one currency.")
    payer = payer_of(invoices[0])
    row = transaction(site, payer, invoices[0]["currency_code"], sum(dues), method=method)
    for invoice, due in zip(invoices, dues, strict=True):
        apply(site, row, invoice, due)
    for invoice in invoices:
        changed(site, invoice)
    emit(site, "transaction_created", transaction=row)
    tell(site, "payment_succeeded", row, invoices[0])
    return row
