"""/payouts: who is paid what, and how far each payout is."""

from dataclasses import dataclass
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.cells import status
from rewards_service.admin.layout import day, money, number
from rewards_service.admin.lists import Column, Empty, Filter, ListView, asked
from rewards_service.admin.money import finding, names, searched
from rewards_service.admin.money.blueprints import payouts as blueprint
from rewards_service.admin.pages import may, show
from rewards_service.admin.places import place_of
from rewards_service.kit import ids
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session
from rewards_service.payouts import queries
from rewards_service.payouts.models import RATE_MISSING, Payout
from rewards_service.rewards.models import Reward

TABS = {
    "draft": "Draft", "pending": "With the partner", "ready": "Ready to pay", "paid": "Paid",
    "cancelled": "Cancelled", "": "All",
}  # fmt: skip
PROBLEMS = {
    RATE_MISSING: "exchange rate missing", "not_positive": "nothing left once converted",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A payout, and the name of its partner."""

    payout: Payout
    partner: str


@blueprint.page("", permission="payouts:read")
def list_payouts() -> ResponseReturnValue:
    """The newest payouts first."""
    session = current_session()
    text = asked("search")
    if text and text.isprintable() and (found := finding.find_payout(session, text)):
        return redirect(searched.place(found))
    values = _view(session).values()
    if "search" in values["chosen"]:  # nothing was found, so there is nothing to take along
        values["export_url"] = None
    chosen = values["chosen"]
    tabs, chips = searched.tabs(TABS, chosen), searched.chips(session, values)
    return show("payouts/list.html", tabs=tabs, chips=chips, **values)


def _view(session: Session) -> ListView:
    known = names.currencies(session, Reward.currency)
    filters = (
        Filter("search", "Payout, or partner by e-mail or id", kind="search"),
        names.partner_filter(session),
        Filter("currency", "Currency", {name: name for name in known}),
        Filter("status", "Status", {name: title for name, title in TABS.items() if name}, "hidden"),
    )
    make = ("Make payouts", url_for("payouts_pages.show_making"), "plus")
    return ListView(
        title="Payouts", columns=COLUMNS, fetch=_fetch, row=lambda row: row, filters=filters,
        link=lambda row: place_of("payout", row.payout.id) or "", export="/files/payouts",
        lead="Approved rewards, gathered for each partner and currency.",
        actions=(make,) if may("payouts:write") else (),
        empty=Empty("cash", "No payout was made yet.",
                    "Approve rewards first, then make payouts of them, by hand or by a schedule.",
                    (("Rewards to review", "rewards_pages.list_rewards", "coin"),)),
    )  # fmt: skip


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    if "search" in chosen:
        return Page([], None)
    wanted: dict[str, Any] = dict(chosen)
    if "partner_id" in chosen:
        wanted["partner_id"] = ids.decode("par", chosen["partner_id"]) or 0
    page = queries.list_payouts(session, paging, wanted)
    found = [row[0] for row in page.rows]
    partners = names.partner_names(session, {payout.partner_id for payout in found})
    rows: Any = [Row(payout, partners.get(payout.partner_id, "")) for payout in found]
    return Page(rows, page.last)


def _total(row: Row) -> Markup | str:
    """What it comes to, and what the partner gets where that is another currency."""
    payout = row.payout
    total = money(payout.total_minor, payout.currency)
    if payout.pay_currency == payout.currency:
        return total
    paid = payout.pay_total_minor
    words = (
        f"in {payout.pay_currency}" if paid is None else f"as {money(paid, payout.pay_currency)}"
    )
    return names.with_words(total, words)


def _status(row: Row) -> Markup:
    problem = row.payout.problem if row.payout.status == "draft" else None
    return names.with_words(status(row.payout.status), problem and PROBLEMS.get(problem))


COLUMNS = (
    Column("Partner", lambda row: names.foreign(row.partner)),
    Column("Total", _total, align="end"),
    Column("Status", _status),
    Column("Rewards", lambda row: number(row.payout.line_count), priority=2, align="end"),
    Column("Up to", lambda row: day(row.payout.cut_off_on)),
    Column("Paid on", lambda row: day(row.payout.paid_on) if row.payout.paid_on else "-", 3),
    Column("Made", lambda row: names.made_by(row.payout.schedule_id), priority=3),
)
