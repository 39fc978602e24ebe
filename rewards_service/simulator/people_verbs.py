"""Scenario verbs about customers and what they subscribe to (pure)."""

from typing import Any

from rewards_service.simulator import catalog, customers, gifts, subscriptions
from rewards_service.simulator.billing import one_time
from rewards_service.simulator.errors import ApiError
from rewards_service.simulator.site import Site
from rewards_service.simulator.wire import Params

Done = dict[str, Any]
PLAN, YEARLY, EURO, SEAT, SETUP = (
    "pro-USD-monthly", "pro-USD-yearly", "pro-EUR-monthly", "seat-USD-monthly", "setup-USD",
)  # fmt: skip
OLD_PLAN, OLD_ADDON = "basic", "data-usage"
_PRICES: dict[str, tuple[str, int, str, str, str]] = {
    PLAN: ("pro", 4_500, "USD", "month", "per_unit"),
    YEARLY: ("pro", 45_000, "USD", "year", "per_unit"),
    EURO: ("pro", 4_000, "EUR", "month", "per_unit"),
    "pro-JPY-monthly": ("pro", 6_500, "JPY", "month", "per_unit"),
    SEAT: ("seat", 900, "USD", "month", "per_unit"),
    SETUP: ("setup", 15_000, "USD", "", "flat_fee"),
}


def stock(site: Site, _given: Params) -> Done:
    """A catalogue of both kinds to sell from; made once."""
    if PLAN in site.tables["item_price"].rows:
        return {"item_price_id": PLAN}
    catalog.create(site, "item_family", Params({"id": "cloud", "name": "Cloud"}))
    for key, kind in (("pro", "plan"), ("seat", "addon"), ("setup", "charge")):
        item = {"id": key, "name": key.title(), "type": kind, "item_family_id": "cloud"}
        catalog.create(site, "item", Params(item))
    for key, (item_id, price, currency, unit, model) in _PRICES.items():
        row: dict[str, Any] = {
            "id": key, "name": key, "item_id": item_id, "price": price,
            "currency_code": currency, "pricing_model": model,
        }  # fmt: skip
        if unit:
            row |= {"period": 1, "period_unit": unit}
        catalog.create(site, "item_price", Params(row))
    plan = {"id": OLD_PLAN, "name": "Basic", "price": 900, "setup_cost": 500}
    catalog.create(site, "plan", Params(plan))
    catalog.create(site, "addon", Params({"id": OLD_ADDON, "name": "Data usage", "price": 95}))
    return {"item_price_id": PLAN}


def sign_up(site: Site, given: Params) -> Done:
    """A new customer, with a card unless `card` is false."""
    wanted = {name: given.given[name] for name in given.given if name != "country"}
    if given.has("country"):
        wanted["billing_address"] = {"country": given.required("country")}
    if given.has("currency_code"):
        wanted["preferred_currency_code"] = given.currency()
    if given.flag("card") is not False:
        wanted["card"] = {"number": "4111111111111111"}
    else:
        wanted.pop("card", None)
    return {"customer_id": customers.create(site, Params(wanted))["id"]}


def subscribe(site: Site, given: Params) -> Done:
    """A subscription to a price (or, with `plan_id`, a plan of Catalog 1.0), billed at once."""
    wanted: dict[str, Any] = {"auto_collection": given.text("auto_collection") or ""}
    if given.has("plan_id"):
        wanted |= {"plan_id": given.required("plan_id"), "addons": {"id": {"0": OLD_ADDON}}}
    else:
        items = [given.text("item_price_id") or PLAN, *(given.words("also") or ())]
        counts = [given.text("quantity") or "1", *("1" for _ in items[1:])]
        wanted["subscription_items"] = {
            "item_price_id": {str(at): item for at, item in enumerate(items)},
            "quantity": {str(at): count for at, count in enumerate(counts)},
        }
    if given.has("discount_percent"):
        wanted["discounts"] = {
            "percentage": {"0": given.required("discount_percent")},
            "duration_type": {"0": given.text("duration_type") or "forever"},
        }
    row, invoice = subscriptions.create(site, given.required("customer_id"), Params(wanted))
    done = {"subscription_id": row["id"]}
    return done if invoice is None else {**done, "invoice_id": invoice["id"]}


def renew(site: Site, given: Params) -> Done:
    """The next term of a subscription begins now."""
    row = site.find("subscription", given.required("subscription_id"))
    invoice = subscriptions.renew(site, row)
    return {"subscription_id": row["id"], "invoice_id": invoice and invoice["id"]}


def resize(site: Site, given: Params) -> Done:
    """Another quantity of what a subscription buys first, from now on."""
    row = site.find("subscription", given.required("subscription_id"))
    quantity = given.required("quantity")
    wanted: dict[str, Any] = {"plan_quantity": quantity}
    if "subscription_items" in row:
        item = row["subscription_items"][0]["item_price_id"]
        wanted = {"subscription_items": {"item_price_id": {"0": item}, "quantity": {"0": quantity}}}
    invoice, note = subscriptions.change(site, row, Params(wanted))
    return {
        "subscription_id": row["id"], "invoice_id": invoice and invoice["id"],
        "credit_note_id": note and note["id"],
    }  # fmt: skip


def cancel(site: Site, given: Params) -> Done:
    """Now, with a credit for the rest of the term if `prorate`; or when `end_of_term` comes."""
    row = site.find("subscription", given.required("subscription_id"))
    wanted = {"end_of_term": given.text("end_of_term") or ""}
    if given.flag("prorate"):
        wanted["credit_option_for_current_term_charges"] = "prorate"
    note = subscriptions.cancel(site, row, Params(wanted))
    return {"subscription_id": row["id"], "credit_note_id": note and note["id"]}


def bill(site: Site, given: Params) -> Done:
    """An invoice for an amount by hand; not paid yet."""
    wanted = {
        "customer_id": given.required("customer_id"), "auto_collection": "off",
        "currency_code": given.text("currency_code") or "",
        "charges": {
            "amount": {"0": given.required("amount")},
            "description": {"0": given.text("description") or "Work"},
        },
    }  # fmt: skip
    return {"invoice_id": one_time(site, Params(wanted))["id"]}


def change_email(site: Site, given: Params) -> Done:
    wanted = Params({"email": given.required("email", 70)})
    row = customers.update(site, given.required("customer_id"), wanted)
    return {"customer_id": row["id"]}


def delete_customer(site: Site, given: Params) -> Done:
    return {"customer_id": customers.delete(site, given.required("customer_id"))["id"]}


def parent(site: Site, given: Params) -> Done:
    """Put a customer under another, who from now on gets and pays its invoices."""
    above = given.required("parent_id")
    wanted = {"parent_id": above, "payment_owner_id": above, "invoice_owner_id": above}
    row = customers.link(site, given.required("customer_id"), Params(wanted))
    return {"customer_id": row["id"]}


def gift(site: Site, given: Params) -> Done:
    """One customer pays for another's subscription, who may claim it."""
    gifter = site.find("customer", given.required("customer_id"))
    receiver = site.find("customer", given.required("receiver_id"))
    items = {"item_price_id": {"0": given.text("item_price_id") or PLAN}}
    row, subscription, invoice = gifts.give(
        site, gifter, receiver, Params({"subscription_items": items})
    )
    return {
        "gift_id": row["id"], "subscription_id": subscription["id"], "invoice_id": invoice["id"],
    }  # fmt: skip


def claim_gift(site: Site, given: Params) -> Done:
    row = site.find("gift", given.required("gift_id"))
    gifts.claim(site, row)
    return {"gift_id": row["id"]}


def wait(site: Site, given: Params) -> Done:
    """Time passes: `seconds` (or `days`) of it, and what is due in it happens in its order."""
    until = site.now_ms + 1000 * (
        (given.amount("seconds") or 0) + 86_400 * (given.amount("days") or 0)
    )
    renewed = 0
    while due := _next_due(site, until // 1000):
        site.move_to(int(due["next_billing_at"]) * 1000)
        try:
            subscriptions.renew(site, due)
            renewed += 1
        except ApiError:  # nobody is there to bill any more
            subscriptions.end(site, due)
    site.move_to(until)
    return {"now": site.now, "renewed": renewed}


def _next_due(site: Site, until: int) -> dict[str, Any] | None:
    rows = site.tables["subscription"].rows.values()
    due = [
        row
        for row in rows
        if row["status"] in subscriptions.ALIVE and not row["deleted"]
        if row.get("next_billing_at", until + 1) <= until
    ]
    return min(due, key=lambda row: (row["next_billing_at"], row["id"]), default=None)
