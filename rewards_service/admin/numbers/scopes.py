"""The scopes of API keys as people choose them: in groups, each with what it opens (pure)."""

from typing import NamedTuple


class Group(NamedTuple):
    """Scopes of one subject: (scope, what it opens)."""

    title: str
    scopes: tuple[tuple[str, str], ...]


GROUPS = (
    Group("Everything", (
        ("admin", "All of the below, and API keys themselves. For your own scripts only."),
    )),
    Group("Partners and programmes", (
        ("programs:read", "Programmes, levels and reward rules."),
        ("programs:write", "Make and change them; publish rules."),
        ("partners:read", "Partners and their enrolments."),
        ("partners:write", "Make and change partners, and where they are paid."),
    )),
    Group("Leads, deals, customers, payments", (
        ("crm:read", "Leads, deals and customers; the report of conversions."),
        ("crm:write", "Make, change and import them."),
        ("transactions:read", "Payments, and why one earned nothing."),
        ("conflicts:read", "Customers that more than one partner claims."),
        ("conflicts:write", "Decide whose they are."),
    )),
    Group("Rewards and payouts", (
        ("rewards:read", "Rewards, their ledger and the reports of them."),
        ("rewards:write", "Approve, hold, decline and adjust rewards."),
        ("payouts:read", "Payouts, their files, schedules and exchange rates."),
        ("payouts:write", "Make payouts and mark them as paid."),
    )),
    Group("Chargebee and events", (
        ("integrations:read", "Connected sites, their health and reconciliation."),
        ("integrations:write", "Connect sites and change what a payment does."),
        ("events:read", "Received events and what became of them."),
        ("events:write", "Match payments by hand."),
        ("events:replay", "Handle events anew."),
    )),
    Group("The service", (
        ("audit:read", "Who did what, and when."),
        ("webhooks:read", "Webhook endpoints and their deliveries."),
        ("webhooks:write", "Make and change them; send again."),
    )),
)  # fmt: skip
EXPLAINED = {scope: words for group in GROUPS for scope, words in group.scopes}
