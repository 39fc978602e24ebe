"""Which letter after `g` leads to which page. Only pages that this person may open count."""

from typing import NamedTuple

from rewards_service.admin.layout import navigation

# A page without a letter here is reached by the navigation and by the search alone.
LETTERS = {
    "overview.show_overview": "o", "rewards_pages.list_rewards": "r",
    "payouts_pages.list_payouts": "p", "partners_pages.list_partners": "a",
    "programs_pages.list_programs": "m", "leads_pages.list_leads": "l",
    "deals_pages.list_deals": "d", "customers_pages.list_customers": "c",
    "transactions_pages.list_transactions": "t", "reports_pages.list_reports": "n",
    "setup.show_setup": "f", "integrations_pages.list_integrations": "i",
    "events_pages.list_events": "e", "unmatched_pages.list_unmatched": "u",
    "queue_pages.show_queue": "q", "audit_pages.list_entries": "h",
    "keys_pages.list_keys": "k", "webhooks_pages.list_endpoints": "w", "users.list_users": "y",
    "settings_pages.show_settings": "s",
}  # fmt: skip


class Jump(NamedTuple):
    """A page of the navigation, and the letter that leads there; none where it has none."""

    title: str
    address: str
    letter: str


def jumps() -> list[Jump]:
    """The pages of the navigation that this person may open, in its order."""
    return [
        Jump(item.title, address, LETTERS.get(item.endpoint, ""))
        for _, lines in navigation()
        for item, address, _ in lines
    ]
