"""Do the site's amounts add up? Every rule that its money must keep (pure)."""

from collections.abc import Iterator

from rewards_service.simulator.invoices import EXCLUSIVE
from rewards_service.simulator.site import Row, Site

_MOVES = ("success", "in_progress")


def differences(site: Site) -> list[str]:
    """What does not add up, in words; nothing when all is well."""
    found: list[str] = []
    for kind, rule in (("invoice", _invoice), ("transaction", _payment), ("credit_note", _note)):
        for row in site.tables[kind].rows.values():
            found += [f"{kind} {row['id']}: {wrong}" for wrong in rule(site, row)]
    return found


def _invoice(site: Site, row: Row) -> Iterator[str]:
    lines = row["line_items"]
    off, tax = (sum(line[name] for line in lines) for name in ("discount_amount", "tax_amount"))
    total = row["sub_total"] - off + (tax if row["price_type"] == EXCLUSIVE else 0)
    if row["sub_total"] != sum(line["amount"] for line in lines):
        yield "sub_total is not the sum of its lines"
    if (row["total"], row["tax"]) != (total, tax):
        yield "total is not lines - discounts + taxes"
    if off != sum(item["amount"] for item in row["discounts"]):
        yield "discounts are not those of its lines"
    if any(amount < 0 for name, amount in row.items() if name.startswith("amount_")):
        yield "an amount is negative"
    if row["status"] != "voided" and not row["deleted"]:
        yield from _dues(site, row)


def _dues(site: Site, row: Row) -> Iterator[str]:
    paid = sum(
        item["applied_amount"] for item in row["linked_payments"] if item["txn_status"] == "success"
    )
    settled = paid + row["credits_applied"] + row["amount_adjusted"] + row["write_off_amount"]
    if row["amount_paid"] != paid or row["amount_due"] != row["total"] - settled:
        yield "amount_due is not total - paid - credits - adjustments - write-off"
    if (row["status"] == "paid") != (row["amount_due"] == 0):
        yield "its status does not fit what is due"
    for item in row["linked_payments"]:
        payment = site.tables["transaction"].rows[item["txn_id"]]
        mirrored = [
            link["applied_amount"]
            for link in payment["linked_invoices"]
            if link["invoice_id"] == row["id"]
        ]
        if item["applied_amount"] not in mirrored or item["txn_status"] != payment["status"]:
            yield f"{payment['id']} says otherwise of what it paid"


def _payment(site: Site, row: Row) -> Iterator[str]:
    if row["type"] == "refund":
        notes = sum(item["applied_amount"] for item in row["linked_credit_notes"])
        if notes > row["amount"]:
            yield "its credit notes are more than it pays back"
    if row["type"] != "payment" or row["deleted"] or row["status"] not in _MOVES:
        return
    applied = sum(item["applied_amount"] for item in row["linked_invoices"])
    back = [item for item in row["linked_refunds"] if item["txn_status"] in _MOVES]
    taken = sum(item["txn_amount"] for item in back)
    of_unused = taken - sum(
        note["applied_amount"]
        for item in back
        for note in site.tables["transaction"].rows[item["txn_id"]]["linked_credit_notes"]
    )
    if row["amount"] != applied + row["amount_unused"] + of_unused:
        yield "amount is not applied + unused + refunded of the unused"
    if taken > row["amount"]:
        yield "more was refunded than paid"


def _note(site: Site, row: Row) -> Iterator[str]:
    tax = sum(line["tax_amount"] for line in row["line_items"])
    lines = sum(line["amount"] for line in row["line_items"])
    if row["total"] != lines + (tax if row["price_type"] == EXCLUSIVE else 0):
        yield "total is not the sum of its lines and taxes"
    if row["status"] == "voided" or row["deleted"]:
        return
    links = row["linked_refunds"]
    moved = sum(item["applied_amount"] for item in links if item["txn_status"] in _MOVES)
    if row["amount_available"] != row["total"] - row["amount_allocated"] - moved:
        yield "available is not total - allocated - refunded"
    if row["amount_available"] < 0:
        yield "more was given than it holds"
    invoice = site.tables["invoice"].rows[row["reference_invoice_id"]]
    member = "issued_credit_notes" if row["type"] == "refundable" else "adjustment_credit_notes"
    if (row["id"], row["status"]) not in [(i["cn_id"], i["cn_status"]) for i in invoice[member]]:
        yield "its invoice does not list it so"
