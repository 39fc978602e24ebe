"""Invoices: built from charges, and kept true to what is paid, credited and adjusted (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rewards_service.simulator.customers import money_members, owner, refresh_balances
from rewards_service.simulator.errors import wrong_state
from rewards_service.simulator.events import emit
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.sums import included, part, share_out

EXCLUSIVE, INCLUSIVE = "tax_exclusive", "tax_inclusive"
# The rate of a customer's country, percent; no tax elsewhere.
TAX_PERCENT = {"DE": Decimal(19), "FR": Decimal(20), "GB": Decimal(20), "IE": Decimal(23)}
_MARK = {"object": "line_item"}


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing to be paid: `unit_minor` times `quantity`, for someone, over some time."""

    description: str
    entity_type: str  # plan_item_price, addon_item_price, charge_item_price, plan, addon, adhoc
    entity_id: str | None
    unit_minor: int
    quantity: int
    customer_id: str
    subscription_id: str | None
    from_at: int
    to_at: int
    pricing_model: str = "flat_fee"
    taxable: bool = True


@dataclass(frozen=True, slots=True)
class Discount:
    """Percent of, or minor units off, the whole invoice or the lines of one entity."""

    percent: Decimal | None = None
    amount_minor: int = 0
    entity_id: str | None = None
    name: str = "Discount"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an invoice has beside its charges."""

    currency: str
    discounts: Sequence[Discount] = ()
    price_type: str = EXCLUSIVE
    recurring: bool = False
    gifted: bool = False
    net_term_days: int = 0


def generate(site: Site, customer_id: str, charges: Sequence[Charge], terms: Terms) -> Row:
    """Make the invoice of a customer's charges; its owner by the hierarchy gets it."""
    if not charges:
        raise wrong_state("There is nothing to invoice.")
    buyer = owner(site, customer_id, "invoice_owner_id")
    payer = owner(site, customer_id, "payment_owner_id")
    country = buyer.get("billing_address", {}).get("country")
    percent = TAX_PERCENT.get(country) if buyer["taxability"] == "taxable" else None
    lines = [_line(site, charge) for charge in charges]
    discounts, by_line = _discount(lines, terms.discounts)
    taxes, tax_lines = _tax(lines, percent, terms.price_type, [c.taxable for c in charges])
    sub_total = sum(line["amount"] for line in lines)
    tax = sum(line["tax_amount"] for line in lines)
    off = sum(line["discount_amount"] for line in lines)
    total = sub_total - off + (tax if terms.price_type == EXCLUSIVE else 0)
    subscriptions = {line.get("subscription_id") for line in lines}
    row: Row = {
        "id": site.new_number("invoice"), "customer_id": buyer["id"],
        "recurring": terms.recurring, "status": "payment_due", "price_type": terms.price_type,
        "date": site.now, "due_date": site.now + terms.net_term_days * 86_400,
        "net_term_days": terms.net_term_days, **money_members(terms.currency),
        "total": total, "sub_total": sub_total, "tax": tax, "amount_paid": 0,
        "amount_adjusted": 0, "write_off_amount": 0, "credits_applied": 0, "amount_due": total,
        "amount_to_collect": total, "round_off_amount": 0, "deleted": False, "object": "invoice",
        "first_invoice": not site.tables["invoice"].of_customer.get(buyer["id"]),
        "has_advance_charges": False, "generated_at": site.now, "is_gifted": terms.gifted,
        "term_finalized": True, "channel": "web", "line_items": lines, "discounts": discounts,
        "line_item_discounts": by_line, "taxes": taxes, "line_item_taxes": tax_lines,
        "linked_payments": [], "applied_credits": [], "adjustment_credit_notes": [],
        "issued_credit_notes": [], "linked_orders": [], "dunning_attempts": [],
    }  # fmt: skip
    row["new_sales_amount"] = total if row["first_invoice"] else 0
    if len(subscriptions) == 1 and None not in subscriptions:
        row["subscription_id"] = subscriptions.pop()
    if payer["id"] != buyer["id"] or "relationship" in buyer:
        row["payment_owner"] = payer["id"]
    if address := buyer.get("billing_address"):
        row["billing_address"] = dict(address)
    settle(site, row)
    site.add("invoice", row)
    emit(site, "invoice_generated", invoice=row)
    return row


def _line(site: Site, charge: Charge) -> Row:
    amount = charge.unit_minor * charge.quantity
    line: Row = {
        "id": site.new_id("li"), "date_from": charge.from_at, "date_to": charge.to_at,
        "unit_amount": charge.unit_minor, "quantity": charge.quantity, "amount": amount,
        "pricing_model": charge.pricing_model, "is_taxed": False, "tax_amount": 0,
        **_MARK, "customer_id": charge.customer_id, "description": charge.description[:250],
        "entity_type": charge.entity_type, "discount_amount": 0, "item_level_discount_amount": 0,
    }  # fmt: skip
    if charge.entity_id is not None:
        line["entity_id"] = charge.entity_id
    if charge.subscription_id is not None:
        line["subscription_id"] = charge.subscription_id
    return line


def _discount(lines: list[Row], wanted: Sequence[Discount]) -> tuple[list[Row], list[Row]]:
    """Take the discounts off the lines; those of one item come first. (of the invoice, by line)"""
    whole, by_line = [], []
    for discount in sorted(wanted, key=lambda item: item.entity_id is None):
        hit = [line for line in lines if discount.entity_id in (None, line.get("entity_id"))]
        left = [line["amount"] - line["discount_amount"] for line in hit]
        off = discount.amount_minor
        if discount.percent is not None:
            off = part(sum(left), discount.percent)
        off = min(off, sum(left))
        if off == 0:
            continue
        kind = "document_level_discount" if discount.entity_id is None else "item_level_discount"
        whole.append({
            "amount": off, "description": discount.name, "entity_type": kind,
            "discount_type": "fixed_amount" if discount.percent is None else "percentage",
            "object": "discount",
        })  # fmt: skip
        for line, share in zip(hit, share_out(off, left), strict=True):
            line["discount_amount"] += share
            line["item_level_discount_amount"] += share if discount.entity_id else 0
            by_line.append({
                "line_item_id": line["id"], "discount_type": kind, "discount_amount": share,
                "object": "line_item_discount",
            })  # fmt: skip
    return whole, by_line


def _tax(
    lines: list[Row], percent: Decimal | None, price_type: str, taxable: Sequence[bool]
) -> tuple[list[Row], list[Row]]:
    """Put tax on the lines; (of the invoice, by line)."""
    found = []
    for line, is_taxable in zip(lines, taxable, strict=True):
        if percent is None or not is_taxable:
            line["tax_exempt_reason"] = (
                "tax_not_configured" if percent is None else "product_exempt"
            )
            continue
        net = line["amount"] - line["discount_amount"]
        tax = part(net, percent) if price_type == EXCLUSIVE else included(net, percent)
        line |= {"is_taxed": True, "tax_rate": percent, "tax_amount": tax}
        found.append({
            "line_item_id": line["id"], "tax_name": "VAT", "tax_rate": percent,
            "taxable_amount": net if price_type == EXCLUSIVE else net - tax, "tax_amount": tax,
            "is_partial_tax_applied": False, "is_non_compliance_tax": False,
            "object": "line_item_tax",
        })  # fmt: skip
    whole = sum(row["tax_amount"] for row in found)
    return ([{"name": "VAT", "amount": whole, "object": "tax"}] if found else []), found


def settle(site: Site, invoice: Row) -> None:
    """Work out what is paid, credited, adjusted and due, and the status that follows."""
    if invoice["status"] == "voided":
        return
    paid = [item for item in invoice["linked_payments"] if item["txn_status"] == "success"]
    notes = [item for item in invoice["adjustment_credit_notes"] if item["cn_status"] != "voided"]
    off = sum(note["cn_total"] for note in notes if note["cn_reason_code"] == "write_off")
    invoice["amount_paid"] = sum(item["applied_amount"] for item in paid)
    invoice["credits_applied"] = sum(item["applied_amount"] for item in invoice["applied_credits"])
    invoice["write_off_amount"] = off
    invoice["amount_adjusted"] = sum(note["cn_total"] for note in notes) - off
    due = invoice["total"] - sum(
        invoice[member]
        for member in ("amount_paid", "credits_applied", "write_off_amount", "amount_adjusted")
    )
    underway = sum(
        item["applied_amount"]
        for item in invoice["linked_payments"]
        if item["txn_status"] == "in_progress"
    )
    invoice["amount_due"] = due
    invoice["amount_to_collect"] = max(due - underway, 0)
    if due == 0:
        invoice["status"] = "paid"
        invoice["paid_at"] = max((item["txn_date"] for item in paid), default=site.now)
    else:
        invoice.pop("paid_at", None)
        exhausted = invoice.get("dunning_status") == "exhausted"
        waiting = invoice["due_date"] > site.now
        invoice["status"] = "not_paid" if exhausted else "posted" if waiting else "payment_due"


def changed(site: Site, invoice: Row) -> None:
    """The invoice's money moved: work it out again, a new version, an event."""
    settle(site, invoice)
    site.touch("invoice", invoice)
    for link in invoice["linked_payments"]:
        payment = site.find("transaction", link["txn_id"], deleted=True)
        for applied in payment["linked_invoices"]:
            here = applied["invoice_id"] == invoice["id"]
            if here and applied["invoice_status"] != invoice["status"]:
                applied["invoice_status"] = invoice["status"]
                site.touch("transaction", payment)
    refresh_balances(site, invoice["customer_id"])
    emit(site, "invoice_updated", invoice=invoice)


def payable(invoice: Row) -> int:
    """What can still be paid; refused when the invoice takes no money."""
    if invoice["status"] == "voided":
        raise wrong_state(f"Invoice {invoice['id']} is voided.")
    if invoice["amount_to_collect"] == 0:
        raise wrong_state(f"Invoice {invoice['id']} has nothing due.")
    return int(invoice["amount_to_collect"])
