"""Where the page of a thing is: reward 5 stands at /rewards/rew_..."""

from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from rewards_service.admin.layout import opens
from rewards_service.audit import subjects

# Kind, as the audit log calls it -> the endpoint of its page and what it calls its id.
PAGES = {
    "api_key": ("keys_pages.show_key", "key_id"),
    "conflict": ("unmatched_pages.show_conflict", "conflict_id"),
    "customer": ("customers_pages.show_customer", "customer_id"),
    "deal": ("deals_pages.show_deal", "deal_id"),
    "event": ("events_pages.show_event", "event_id"),
    "integration": ("integrations_pages.show_integration", "integration_id"),
    "lead": ("leads_pages.show_lead", "lead_id"),
    "partner": ("partners_pages.show_partner", "partner_id"),
    "payout": ("payouts_pages.show_payout", "payout_id"),
    "program": ("programs_pages.show_program", "program_id"),
    "reward": ("rewards_pages.show_reward", "reward_id"),
    "reward_rule": ("programs_pages.show_rule", "rule_id"),
    "transaction": ("transactions_pages.show_transaction", "transaction_id"),
    "webhook_endpoint": ("webhooks_pages.show_endpoint", "endpoint_id"),
}


def place_of(kind: str, key: int) -> str | None:
    """The address of a thing; None where it has no page, or one that is not for this person."""
    endpoint, argument = PAGES.get(kind, ("", ""))
    if not opens(endpoint):
        return None
    values: dict[str, Any] = {argument: subjects.public_id(kind, key)}
    return url_for(endpoint, **values)


def link_to(kind: str, key: int | None, text: Any = None) -> Markup:
    """A thing by its name, or else its id, as a link to its page where there is one."""
    if key is None:
        return Markup("-")
    shown = subjects.public_id(kind, key) if text is None else text
    place = place_of(kind, key)
    return Markup('<a href="{}">{}</a>').format(place, shown) if place else escape(shown)
