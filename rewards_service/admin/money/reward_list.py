"""/rewards: the queue of review, and one decision on many rewards at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from rewards_service.admin.cells import status
from rewards_service.admin.layout import day, moment, money
from rewards_service.admin.lists import Bulk, Column, Empty, Filter, ListView, asked
from rewards_service.admin.money import finding, names, searched
from rewards_service.admin.money.blueprints import rewards as blueprint
from rewards_service.admin.money.deciding import CHOOSABLE
from rewards_service.admin.pages import show
from rewards_service.admin.places import place_of
from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.fields import parse_instant
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session
from rewards_service.payouts.queries import entry_sums
from rewards_service.rewards.listing import list_rewards as fetch_rewards
from rewards_service.rewards.models import Reward

TABS = {
    "pending": "To review", "approved": "Approved", "hold": "On hold", "in_payout": "In payout",
    "paid": "Paid", "declined": "Declined", "": "All",
}  # fmt: skip
_FROM, _BEFORE = "created_at[gte]", "created_at[lt]"
_KEYS = {"partner_id": "par", "customer_id": "cus"}
# Who looks for one thing wants to see it, whatever its status.
_EXACT = ("chargebee_invoice_id",)


@dataclass(frozen=True)
class Row:
    """A reward with what its ids mean; the amount is net of everything that was taken back."""

    reward: Reward
    amount_minor: int
    partner: str
    customer: str
    rule: names.RuleName | None

    @property
    def id(self) -> str:
        return ids.encode("rew", self.reward.id)


@blueprint.page("", permission="rewards:read")
def list_rewards() -> ResponseReturnValue:
    """What is to be reviewed, and everything that ever was."""
    text = asked("search")
    if text and text.isprintable() and (found := finding.find_reward(current_session(), text)):
        return redirect(searched.place(found, _EXACT))
    return draw()


def draw(status: int = 200, **more: Any) -> ResponseReturnValue:
    """The list as the address has it, also where a decision on it was refused."""
    session = current_session()
    values = view(session).values()
    values["export_url"] = _file(values["chosen"])
    return show(
        "rewards/list.html", status, tabs=searched.tabs(TABS, values["chosen"]),
        chips=searched.chips(session, values), **{**values, **more},
    )  # fmt: skip


def _file(chosen: Mapping[str, str]) -> str | None:
    """The file of the same rewards: it asks as the API does, for times instead of days."""
    wanted = read_filters(chosen)
    if wanted is None:
        return None
    times = {_FROM: "created_from", _BEFORE: "created_before"}
    asked = {
        name: rfc3339(wanted[times[name]]) if name in times else value
        for name, value in chosen.items()
    }
    return f"/files/rewards?{urlencode(asked)}".rstrip("?")


def view(session: Session) -> ListView:
    """The list; the currencies to choose from are those in which rewards are."""
    known = names.currencies(session, Reward.currency)
    filters = (
        Filter("search", "Id, invoice or e-mail", kind="search"),
        names.partner_filter(session),
        Filter("currency", "Currency", {name: name for name in known}),
        Filter(_FROM, "Made from", kind="date"),
        Filter(_BEFORE, "Made before", kind="date"),
        Filter("status", "Status", {name: title for name, title in TABS.items() if name}, "hidden"),
        Filter("customer_id", "Customer", kind="hidden"),
        Filter("chargebee_invoice_id", "Invoice", kind="hidden"),
    )
    return ListView(
        title="Rewards", columns=COLUMNS, fetch=_fetch, row=lambda row: row, filters=filters,
        link=lambda row: place_of("reward", row.reward.id) or "",
        empty=Empty("coin", "No reward was earned yet.",
                    "They arise by themselves as customers that partners brought pay.",
                    (("Look at payments", "transactions_pages.list_transactions", "receipt"),),
                    by_payments=True),
        lead="What partners earn. Approve it, and it goes into their next payout.",
        bulk=Bulk(_address, "rewards/bulk_bar.html", _choosable, "rewards:write"),
    )  # fmt: skip


def _address() -> str:
    """The list itself, with its filters and at its page."""
    return request.full_path.rstrip("?")


def _choosable(row: Row) -> str | None:
    return row.id if row.reward.status in CHOOSABLE else None


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted = read_filters(chosen)
    if wanted is None:
        return Page([], None)
    page = fetch_rewards(session, paging, wanted)
    rows: Any = rows_of(session, [found[0] for found in page.rows])
    return Page(rows, page.last)


def rows_of(session: Session, found: Sequence[Reward]) -> list[Row]:
    """Rewards with their amounts and names: four queries, however many."""
    amounts = entry_sums(session, [row.id for row in found])
    partners = names.partner_names(session, {row.partner_id for row in found})
    customers = names.customer_names(session, {row.customer_id for row in found})
    rules = names.rule_names(session, {row.rule_version_id for row in found})
    return [
        Row(row, amounts.get(row.id, 0), partners.get(row.partner_id, ""),
            customers.get(row.customer_id, ""), rules.get(row.rule_version_id))
        for row in found
    ]  # fmt: skip


def read_filters(chosen: Mapping[str, str]) -> dict[str, Any] | None:
    """What the API's list makes of these filters; None where nothing can fit them."""
    wanted: dict[str, Any] = {}
    for name, value in chosen.items():
        if name in _KEYS:
            wanted[name] = ids.decode(_KEYS[name], value)
        elif name == _FROM:
            wanted["created_from"] = _begin(value)
        elif name == _BEFORE:
            wanted["created_before"] = _begin(value)
        elif name != "search" and value.isprintable():
            wanted[name] = value
        else:
            wanted[name] = None
    return None if None in wanted.values() else wanted


def _begin(value: str) -> datetime | None:
    """The time that a day of the form, or a time of the API, begins with, in UTC."""
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return parse_instant(value)
    except ValidationError:
        return None


def _rule(row: Row) -> Markup | str:
    if row.rule is None:
        return "-"
    version = Markup('{} <span class="text-secondary">v{}</span>')
    return version.format(names.foreign(row.rule.name), row.rule.version)


def _status(row: Row) -> Markup:
    reason = row.reward.hold_reason
    return names.with_words(status(row.reward.status), reason and names.HOLDS.get(reason))


COLUMNS = (
    Column("Made", lambda row: moment(row.reward.created_at)),
    Column("Customer", lambda row: names.linked("customer", row.reward.customer_id, row.customer)),
    Column("Partner", lambda row: names.linked("partner", row.reward.partner_id, row.partner)),
    Column("Rule", _rule, priority=3),
    Column("Amount", lambda row: money(row.amount_minor, row.reward.currency), align="end"),
    Column("Status", _status),
    Column("Available on", lambda row: day(row.reward.available_on), priority=3),
)
