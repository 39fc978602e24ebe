"""Gifts: one customer pays, another gets the subscription (pure)."""

from rewards_service.simulator.billing import bill
from rewards_service.simulator.customers import money_members
from rewards_service.simulator.errors import wrong_state
from rewards_service.simulator.events import emit
from rewards_service.simulator.items import read_items
from rewards_service.simulator.payments import pay
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.terms import later
from rewards_service.simulator.wire import Params


def give(site: Site, gifter: Row, receiver: Row, params: Params) -> tuple[Row, Row, Row]:
    """(gift, subscription, invoice): paid by the gifter at once, waiting to be claimed."""
    bought, period, unit, currency = read_items(site, params)
    gift: Row = {
        "id": site.new_id("gift"), "status": "unclaimed", "scheduled_at": site.now,
        "auto_claim": False, "no_expiry": True, "object": "gift",
        "gifter": {"customer_id": gifter["id"], "object": "gifter"},
        "gift_receiver": {"customer_id": receiver["id"], "object": "gift_receiver"},
        "gift_timelines": [{"status": "scheduled", "occurred_at": site.now}],
    }  # fmt: skip
    site.add("gift", gift)
    subscription: Row = {
        "id": site.new_id(), "billing_period": period, "billing_period_unit": unit,
        "auto_collection": "on", "customer_id": receiver["id"], "status": "future",
        "start_date": site.now, "created_at": site.now, "started_at": site.now,
        "current_term_start": site.now, "current_term_end": later(site.now, period, unit),
        "has_scheduled_changes": False, "channel": "web", "deleted": False,
        "object": "subscription", **money_members(currency), **bought,
        "due_invoices_count": 0, "mrr": 0, "has_scheduled_advance_invoices": False,
        "gift_id": gift["id"],
    }  # fmt: skip
    site.add("subscription", subscription)
    gift["gift_receiver"]["subscription_id"] = subscription["id"]
    invoice = bill(site, subscription)
    if invoice is None:
        raise wrong_state("There is nothing to pay for.")
    gift["gifter"]["invoice_id"] = invoice["id"]
    emit(site, "subscription_created", subscription=subscription, customer=receiver)
    if invoice["amount_to_collect"]:
        pay(site, invoice)
    _step(site, gift, "unclaimed")
    return gift, subscription, invoice


def claim(site: Site, gift: Row) -> None:
    """The receiver takes it: the subscription starts, for the term that was paid."""
    if gift["status"] != "unclaimed":
        raise wrong_state(f"{gift['id']} is {gift['status']}.")
    subscription = site.find("subscription", gift["gift_receiver"]["subscription_id"])
    end = subscription["current_term_end"]
    subscription |= {
        "status": "non_renewing", "activated_at": site.now, "cancelled_at": end,
        "next_billing_at": end,
    }  # fmt: skip
    site.touch("subscription", subscription)
    receiver = site.find("customer", subscription["customer_id"])
    emit(site, "subscription_activated", subscription=subscription, customer=receiver)
    gift["status"] = "claimed"
    _step(site, gift, "claimed")


def _step(site: Site, gift: Row, status: str) -> None:
    gift["gift_timelines"].append({"status": status, "occurred_at": site.now})
    site.touch("gift", gift)
    emit(site, f"gift_{status}", gift=gift)
