"""Customers: made, changed, deleted, put under a parent; their balances and cards (pure)."""

import json
from typing import Any

from rewards_service.simulator.errors import duplicate, wrong_state, wrong_value
from rewards_service.simulator.events import emit
from rewards_service.simulator.site import BASE_CURRENCY, RATES, Row, Site
from rewards_service.simulator.wire import Params

TEXTS = {
    "first_name": 150, "last_name": 150, "email": 70, "phone": 50, "company": 250,
    "vat_number": 20, "locale": 50, "invoice_notes": 2000, "preferred_currency_code": 3,
    "business_entity_id": 50,
}  # fmt: skip
_CHOICES = {"auto_collection": ("on", "off"), "taxability": ("taxable", "exempt")}
_ADDRESS = (
    "first_name", "last_name", "email", "company", "phone", "line1", "line2", "line3", "city",
    "state_code", "state", "country", "zip",
)  # fmt: skip
_LEVELS = 5


def create(site: Site, params: Params) -> Row:
    key = params.text("id", 50) or site.new_id()
    if key in site.tables["customer"].rows:
        raise duplicate("id", key)
    row: Row = {
        "id": key, "auto_collection": "on", "net_term_days": 0, "allow_direct_debit": False,
        "created_at": site.now, "taxability": "taxable", "pii_cleared": "active", "channel": "web",
        "deleted": False, "object": "customer", "card_status": "no_card",
        "promotional_credits": 0, "refundable_credits": 0, "excess_payments": 0,
        "unbilled_charges": 0, "preferred_currency_code": BASE_CURRENCY, "mrr": 0,
    }  # fmt: skip
    _write(row, params)
    site.add("customer", row)
    if params.inside("card").given:
        add_card(site, row)
    emit(site, "customer_created", customer=row)
    return row


def _write(row: Row, params: Params) -> None:
    """Members that a caller may set. An empty text takes the member away."""
    for name, longest in TEXTS.items():
        value = params.text(name, longest)
        if value:
            row[name] = value
        elif value == "":
            row.pop(name, None)
    for name, words in _CHOICES.items():
        if (word := params.choice(name, words)) is not None:
            row[name] = word
    if (days := params.amount("net_term_days")) is not None:
        row["net_term_days"] = days
    write_custom(row, params, "meta_data")
    if address := billing_address(params.inside("billing_address")):
        row["billing_address"] = address


def write_custom(row: Row, params: Params, member: str) -> None:
    """Custom fields keep their case; meta data is a JSON object."""
    row.update(
        (name, value)
        for name, value in params.given.items()
        if name.startswith("cf_") and not isinstance(value, dict)
    )
    if params.has(member):
        try:
            value = json.loads(params.required(member, 65_000))
        except ValueError as error:
            raise wrong_value(member, "must be a JSON object") from error
        if not isinstance(value, dict):
            raise wrong_value(member, "must be a JSON object")
        row[member] = value


def billing_address(params: Params) -> Row:
    found = {name: value for name in _ADDRESS if (value := params.text(name, 150))}
    if not found:
        return {}
    return {**found, "validation_status": "not_validated", "object": "billing_address"}


def add_card(site: Site, customer: Row) -> None:
    """Put a test card on file; only its masked form is ever kept."""
    source = site.new_id("pm")
    site.cards[customer["id"]] = {
        "status": "valid", "gateway": "chargebee", "gateway_account_id": "gw_simulator",
        "iin": "411111", "last4": "1111", "card_type": "visa", "funding_type": "credit",
        "expiry_month": 12, "expiry_year": 2040, "created_at": site.now, "object": "card",
        "masked_number": "************1111", "customer_id": customer["id"],
        "payment_source_id": source,
    }  # fmt: skip
    customer["card_status"] = "valid"
    customer["primary_payment_source_id"] = source
    customer["payment_method"] = {
        "object": "payment_method", "type": "card", "reference_id": site.new_id("tok"),
        "gateway": "chargebee", "gateway_account_id": "gw_simulator", "status": "valid",
    }  # fmt: skip


def update(site: Site, key: str, params: Params) -> Row:
    row = site.find("customer", key)
    _write(dict(row), params)  # a refusal leaves nothing half changed
    _write(row, params)
    site.touch("customer", row)
    emit(site, "customer_changed", customer=row)
    return row


def update_billing(site: Site, key: str, params: Params) -> Row:
    return update(site, key, Params({
        name: value
        for name, value in params.given.items()
        if name in ("billing_address", "vat_number")
    }))  # fmt: skip


def delete(site: Site, key: str) -> Row:
    """A tombstone; its subscriptions go with it. Refused while an invoice waits for its money."""
    row = site.find("customer", key)
    due = [item for item in site.of_customer("invoice", key) if item["amount_due"]]
    if any(item["status"] != "voided" for item in due):
        raise wrong_state("The customer has invoices that are not paid.")
    if any(not other["deleted"] for other in _children(site, key)):
        raise wrong_state("The customer has others below it.")
    gone = site.of_customer("subscription", key)
    for subscription in gone:
        subscription["deleted"] = True
        subscription["status"] = "cancelled"
        site.touch("subscription", subscription)
    row["deleted"] = True
    site.touch("customer", row)
    emit(site, "customer_deleted", customer=row, subscriptions=gone)
    return row


def _children(site: Site, key: str) -> list[Row]:
    rows = site.tables["customer"].rows.values()
    return [row for row in rows if row.get("relationship", {}).get("parent_id") == key]


def link(site: Site, key: str, params: Params) -> Row:
    """Put a customer under a parent, who may own its invoices and pay for it."""
    row = site.find("customer", key)
    parent = site.find("customer", params.required("parent_id", 50))
    above = ancestors(site, parent["id"])
    if key in above:
        raise wrong_state("A customer cannot be its own parent.")
    if len(above) >= _LEVELS:
        raise wrong_state(f"A hierarchy has at most {_LEVELS} levels.")
    owners = {
        name: site.find("customer", params.text(name, 50) or key)["id"]
        for name in ("payment_owner_id", "invoice_owner_id")
    }
    allowed = {key, *above}
    for name, owner in owners.items():
        if owner not in allowed:
            raise wrong_value(name, "must be the customer or one above it")
    row["relationship"] = {"parent_id": parent["id"], **owners, "root_id": above[-1]}
    site.touch("customer", row)
    emit(site, "hierarchy_created", customer=row)
    return row


def unlink(site: Site, key: str) -> Row:
    row = site.find("customer", key)
    if row.pop("relationship", None) is None:
        raise wrong_state("The customer has no parent.")
    site.touch("customer", row)
    emit(site, "hierarchy_deleted", customer=row)
    return row


def ancestors(site: Site, key: str) -> list[str]:
    """The customer and everyone above it, the root last."""
    found = [key]
    while parent := site.find("customer", found[-1]).get("relationship", {}).get("parent_id"):
        found.append(parent)
    return found


def owner(site: Site, key: str, role: str) -> Row:
    """Who gets the invoices (`invoice_owner_id`) or pays (`payment_owner_id`) for a customer."""
    row = site.find("customer", key)
    return site.find("customer", row.get("relationship", {}).get(role) or key)


def hierarchy(site: Site, key: str) -> dict[str, Any]:
    site.find("customer", key)
    children: dict[str, list[str]] = {}
    for row in site.tables["customer"].rows.values():
        parent = row.get("relationship", {}).get("parent_id")
        if parent and not row["deleted"]:
            children.setdefault(parent, []).append(row["id"])
    found, waiting = [], [ancestors(site, key)[-1]]
    while waiting:
        member = site.find("customer", waiting.pop(0))
        relation = member.get("relationship", {})
        line = {
            "customer_id": member["id"], "object": "hierarchy",
            "payment_owner_id": relation.get("payment_owner_id", member["id"]),
            "invoice_owner_id": relation.get("invoice_owner_id", member["id"]),
            "has_children": member["id"] in children,
            "children_ids": children.get(member["id"], []),
        }  # fmt: skip
        if parent := relation.get("parent_id"):
            line["parent_id"] = parent
        found.append(line)
        waiting += children.get(member["id"], [])
    return {"hierarchies": found}


def refresh_balances(site: Site, key: str) -> None:
    """What the customer has in hand, in its own currency. No event: Chargebee sends none either."""
    row = site.tables["customer"].rows.get(key)
    if row is None:
        return
    currency = row["preferred_currency_code"]
    payments, notes, subscriptions = (
        [item for item in site.of_customer(kind, key) if item["currency_code"] == currency]
        for kind in ("transaction", "credit_note", "subscription")
    )
    found = {
        "excess_payments": sum(
            item.get("amount_unused", 0) for item in payments if item["status"] == "success"
        ),
        "refundable_credits": sum(
            note["amount_available"] for note in notes if note["status"] == "refund_due"
        ),
        "mrr": sum(item["mrr"] for item in subscriptions if item["status"] == "active"),
    }
    if any(row[name] != value for name, value in found.items()):
        row |= found
        site.touch("customer", row)


def money_members(currency: str) -> Row:
    """Currency, and the rate to the site's own; 1 for a currency without a rate here."""
    rate = RATES.get(currency, RATES[BASE_CURRENCY])
    return {
        "currency_code": currency, "base_currency_code": BASE_CURRENCY, "exchange_rate": rate,
    }  # fmt: skip
