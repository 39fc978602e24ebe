"""What the page of one payout shows: how far it is, what is in it, what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.activity import activity_of, names_of
from rewards_service.admin.layout import day, money, number
from rewards_service.admin.money import names
from rewards_service.admin.money.payout_list import PROBLEMS
from rewards_service.admin.pages import may
from rewards_service.kit import ids
from rewards_service.kit.pages import Paging, open_cursor, seal_cursor
from rewards_service.kit.web import current_settings
from rewards_service.payouts import queries
from rewards_service.payouts.models import OPEN_STATUSES, Payout, PayoutLine, PayoutStatusChange
from rewards_service.payouts.showing import show
from rewards_service.rewards.models import Reward

LINES = 25
STEPS = (
    ("draft", "Draft", "We look it through"), ("pending", "Pending", "The partner reviews, and "
     "sends an invoice"), ("ready", "Ready", "It may be paid"), ("paid", "Paid", "The money left"),
)  # fmt: skip


class StepMark(NamedTuple):
    """A step of the way; `state` is done, now or ahead."""

    title: str
    words: str
    state: str
    at: datetime | None


class Line(NamedTuple):
    """A reward of the payout, with what its ids mean."""

    line: PayoutLine
    reward: Reward | None
    customer: str


def values_of(session: Session, payout: Payout) -> dict[str, Any]:
    """Everything that the page shows."""
    (shown,) = show(session, [payout])
    lines, next_url = _lines(session, payout)
    exports = list(reversed(shown["exports"]))
    return {
        "payout": payout, "id": ids.encode("pay", payout.id), **partner_of(session, payout),
        "steps": _steps(session, payout), "conversion": shown["conversion"],
        "problem": payout.problem if payout.status == "draft" else None,
        "problem_words": PROBLEMS.get(payout.problem or ""),
        "lines": lines, "next_url": next_url,
        "first_url": request.path if "cursor" in request.args else None,
        "invoice": queries.newest_invoice(session, payout.id),
        "exports": exports, "who": names_of(session, {one["actor"] for one in exports}),
        "activity": activity_of(session, "payout", payout.id),
        "is_open": payout.status in OPEN_STATUSES, "writes": may("payouts:write"),
        "pays": payout.status in ("ready", "paid"),
    }  # fmt: skip


def partner_of(session: Session, payout: Payout) -> dict[str, Any]:
    """The partner's name, and as a link."""
    name = names.partner_names(session, [payout.partner_id]).get(payout.partner_id, "")
    return {
        "partner": names.linked("partner", payout.partner_id, name),
        "partner_name": names.foreign(name),
    }


def facts_of(payout: Payout) -> list[tuple[str, Any]]:
    """What a payout comes to, in the words of its confirmation."""
    paid, total = payout.pay_total_minor, money(payout.total_minor, payout.currency)
    gets = "-" if paid is None else money(paid, payout.pay_currency)
    converted = [("Converted from", total)] if payout.pay_currency != payout.currency else []
    return [
        ("The partner gets", gets),
        ("Currency", payout.pay_currency),
        *converted,
        ("Rewards", number(payout.line_count)),
        ("Rewards up to", day(payout.cut_off_on)),
        ("Invoice", names.foreign(payout.invoice_number) if payout.invoice_number else "none"),
    ]


def _steps(session: Session, payout: Payout) -> list[StepMark]:
    """The four steps, each with when it was reached; what was given up goes no further."""
    query = (
        select(PayoutStatusChange)
        .where(PayoutStatusChange.payout_id == payout.id)
        .order_by(PayoutStatusChange.id)
    )
    reached = {row.to_status: row.at for row in session.scalars(query)}
    marks = []
    for status, title, words in STEPS:
        now = payout.status == status and status != "paid"
        state = "now" if now else "done" if status in reached else "ahead"
        marks.append(StepMark(title, words, state, reached.get(status)))
    return marks


def _lines(session: Session, payout: Payout) -> tuple[list[Line], str | None]:
    """A page of the contents, and where the next one is."""
    purpose, secret = f"page:{request.path}", current_settings().secret_key
    after = open_cursor(secret, purpose, request.args.get("cursor", "")[:200])
    page = queries.list_lines(session, payout.id, Paging(LINES, after=after))
    found = [row[0] for row in page.rows]
    next_url = None
    if page.last is not None:
        place = url_for("payouts_pages.show_payout", payout_id=ids.encode("pay", payout.id))
        next_url = f"{place}?cursor={seal_cursor(secret, purpose, page.last)}#contents"
    return _named(session, found), next_url


def _named(session: Session, found: Sequence[PayoutLine]) -> list[Line]:
    query = select(Reward).where(Reward.id.in_([line.reward_id for line in found]))
    rewards = {row.id: row for row in session.scalars(query)}
    customers = names.customer_names(session, {row.customer_id for row in rewards.values()})
    return [
        Line(line, row, customers.get(row.customer_id, "") if row else "")
        for line in found
        for row in [rewards.get(line.reward_id)]
    ]
