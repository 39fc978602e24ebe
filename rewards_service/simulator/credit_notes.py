"""Credit notes: what is given back on an invoice, line by line, with or without money (pure)."""

from collections.abc import Sequence

from rewards_service.simulator.customers import money_members, refresh_balances
from rewards_service.simulator.errors import wrong_state, wrong_value
from rewards_service.simulator.events import emit
from rewards_service.simulator.invoices import EXCLUSIVE, changed
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.sums import share_out

REASONS = (
    "write_off", "subscription_change", "subscription_cancellation", "subscription_pause",
    "chargeback", "product_unsatisfactory", "service_unsatisfactory", "order_change",
    "order_cancellation", "waiver", "other", "fraudulent",
)  # fmt: skip
REFUNDABLE, ADJUSTMENT = "refundable", "adjustment"


def gross(line: Row, price_type: str) -> int:
    """What a line costs: minor units after discounts, with tax."""
    tax = line["tax_amount"] if price_type == EXCLUSIVE else 0
    return int(line["amount"] - line["discount_amount"] + tax)


def issue(
    site: Site,
    invoice: Row,
    amount: int,
    kind: str,
    reason: str = "other",
    shares: Sequence[int] | None = None,
) -> Row:
    """A credit note of `amount` on an invoice, with events; an adjustment lowers what is due.

    shares: how much of it on each line of the invoice; left out, in proportion to what they cost.
    """
    price_type = invoice["price_type"]
    weights = [gross(line, price_type) for line in invoice["line_items"]]
    by_line = share_out(amount, weights) if shares is None else list(shares)
    lines = [
        _line(site, line, share, price_type)
        for line, share in zip(invoice["line_items"], by_line, strict=True)
        if share or len(by_line) == 1
    ]
    tax = sum(line["tax_amount"] for line in lines)
    adjusts = kind == ADJUSTMENT
    row: Row = {
        "id": f"CN-{site.new_number('credit_note')}", "customer_id": invoice["customer_id"],
        "reference_invoice_id": invoice["id"], "type": kind, "reason_code": reason,
        "create_reason_code": reason.replace("_", " ").title(),
        "status": "adjusted" if adjusts else "refund_due", "date": site.now,
        "price_type": price_type, **money_members(invoice["currency_code"]), "total": amount,
        "sub_total": sum(line["amount"] for line in lines), "amount_allocated": 0,
        "amount_refunded": 0, "amount_available": amount, "round_off_amount": 0,
        "generated_at": site.now, "deleted": False, "object": "credit_note", "channel": "web",
        "line_items": lines, "taxes": [{"name": "VAT", "amount": tax}] if tax else [],
        "line_item_taxes": [_tax_of(line) for line in lines if line["is_taxed"]],
        "line_item_discounts": [], "linked_refunds": [], "linked_tax_withheld_refunds": [],
        "allocations": [],
    }  # fmt: skip
    if "subscription_id" in invoice:
        row["subscription_id"] = invoice["subscription_id"]
    site.add("credit_note", row)
    if adjusts:
        _allocate(site, row, invoice, amount)
    invoice["adjustment_credit_notes" if adjusts else "issued_credit_notes"].append({
        "cn_id": row["id"], "cn_reason_code": reason, "cn_date": row["date"], "cn_total": amount,
        "cn_create_reason_code": row["create_reason_code"], "cn_status": row["status"],
    })  # fmt: skip
    return row


def _line(site: Site, source: Row, share: int, price_type: str) -> Row:
    """A credit line of `share` minor units with tax, in the proportion of its invoice line."""
    whole = gross(source, price_type)
    tax = share_out(share, [source["tax_amount"], whole - source["tax_amount"]])[0] if whole else 0
    amount = share - tax if price_type == EXCLUSIVE else share
    return {
        **source, "id": site.new_id("li"), "reference_line_item_id": source["id"], "quantity": 1,
        "unit_amount": amount, "amount": amount, "tax_amount": tax, "discount_amount": 0,
        "item_level_discount_amount": 0,
    }  # fmt: skip


def _tax_of(line: Row) -> Row:
    return {
        "line_item_id": line["id"], "tax_name": "VAT", "tax_rate": line["tax_rate"],
        "taxable_amount": line["amount"], "tax_amount": line["tax_amount"],
    }  # fmt: skip


def _allocate(site: Site, note: Row, invoice: Row, amount: int) -> None:
    note["allocations"].append({
        "invoice_id": invoice["id"], "allocated_amount": amount, "allocated_at": site.now,
        "invoice_date": invoice["date"], "invoice_status": invoice["status"],
    })  # fmt: skip
    settle(note)


def settle(note: Row) -> None:
    """Work out what is left of a note from its refunds and allocations, and its status."""
    refunds = note["linked_refunds"]
    moved = [item for item in refunds if item["txn_status"] in ("success", "in_progress")]
    done = [item for item in refunds if item["txn_status"] == "success"]
    note["amount_allocated"] = sum(item["allocated_amount"] for item in note["allocations"])
    note["amount_refunded"] = sum(item["applied_amount"] for item in done)
    note["amount_available"] = (
        note["total"] - note["amount_allocated"] - sum(item["applied_amount"] for item in moved)
    )
    if note["status"] == "voided":
        note["amount_available"] = 0
    elif note["type"] == REFUNDABLE:
        finished = note["amount_allocated"] + note["amount_refunded"] == note["total"]
        note["status"] = "refunded" if finished else "refund_due"
        if finished:
            note["refunded_at"] = done[-1]["applied_at"] if done else note["date"]
        else:
            note.pop("refunded_at", None)


def refresh(site: Site, note: Row) -> None:
    """Settle the note, bring its status to its invoice, a new version. Events are the caller's."""
    settle(note)
    site.touch("credit_note", note)
    invoice = site.tables["invoice"].rows.get(note.get("reference_invoice_id", ""))
    for member in ("issued_credit_notes", "adjustment_credit_notes"):
        for link in (invoice or {}).get(member, ()):
            if link["cn_id"] == note["id"]:
                link["cn_status"] = note["status"]
    refresh_balances(site, note["customer_id"])


def creditable(site: Site, invoice: Row) -> int:
    """How much of what was paid (by money or credits) no credit note has given back yet."""
    given = sum(
        site.find("credit_note", link["cn_id"], deleted=True)["total"]
        for link in invoice["issued_credit_notes"]
        if link["cn_status"] != "voided"
    )
    return int(invoice["amount_paid"] + invoice["credits_applied"] - given)


def create(
    site: Site, invoice: Row, amount: int, kind: str, reason: str, shares: list[int] | None = None
) -> Row:
    """A credit note by itself: refundable ones wait for their refund."""
    most = creditable(site, invoice) if kind == REFUNDABLE else invoice["amount_to_collect"]
    if invoice["status"] == "voided" or not 0 < amount <= most:
        raise wrong_value("total", f"must be from 1 to {most}")
    note = issue(site, invoice, amount, kind, reason, shares)
    refresh(site, note)
    changed(site, invoice)
    emit(site, "credit_note_created", credit_note=note)
    return note


def write_off(site: Site, invoice: Row) -> Row:
    """Give up what is due: an adjustment with its own reason."""
    return create(site, invoice, invoice["amount_to_collect"], ADJUSTMENT, "write_off")


def void(site: Site, note: Row) -> None:
    """The note never counted. Refused once money or credit has moved with it."""
    if note["status"] == "voided":
        raise wrong_state(f"{note['id']} is voided already.")
    _unused(note)
    note |= {"status": "voided", "voided_at": site.now}
    _undo(site, note)
    emit(site, "credit_note_updated", credit_note=note)


def _unused(note: Row) -> None:
    moved = [link for link in note["linked_refunds"] if link["txn_status"] != "voided"]
    if note["type"] == REFUNDABLE and (moved or note["allocations"]):
        raise wrong_state(f"{note['id']} has refunds or allocations.")


def _undo(site: Site, note: Row) -> None:
    note["allocations"] = []
    refresh(site, note)
    changed(site, site.find("invoice", note["reference_invoice_id"], deleted=True))


def delete(site: Site, note: Row) -> None:
    """A tombstone, and its invoice as before."""
    _unused(note)
    invoice = site.find("invoice", note["reference_invoice_id"], deleted=True)
    for member in ("issued_credit_notes", "adjustment_credit_notes"):
        invoice[member] = [link for link in invoice[member] if link["cn_id"] != note["id"]]
    note["deleted"] = True
    site.touch("credit_note", note)
    changed(site, invoice)
    emit(site, "credit_note_deleted", credit_note=note)


def use(site: Site, note: Row, invoice: Row) -> int:
    """Pay an invoice with what a refundable note still holds; how much that was."""
    amount = min(note["amount_available"], invoice["amount_to_collect"])
    if note["status"] != "refund_due" or amount <= 0:
        raise wrong_state(f"{note['id']} has nothing for invoice {invoice['id']}.")
    _allocate(site, note, invoice, amount)
    invoice["applied_credits"].append({
        "cn_id": note["id"], "applied_amount": amount, "applied_at": site.now,
        "cn_reason_code": note["reason_code"], "cn_date": note["date"],
        "cn_status": note["status"],
    })  # fmt: skip
    refresh(site, note)
    changed(site, invoice)
    emit(site, "credit_note_updated", credit_note=note)
    return int(amount)
