"""What must hold between reports and the ledger, whatever happened: whole books are looked at."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import combinations
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.reports import grouping, liability, statements
from rewards_service.reports.periods import after_month
from rewards_service.reports.statements import Wanted
from rewards_service.rewards import months
from rewards_service.rewards.models import LedgerEntry, Reward, RewardMonth

Row = dict[str, Any]


def broken_reports(session: Session) -> list[Any]:
    """What does not agree; nothing when all is well."""
    entries = list(session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))
    return [
        *_broken_roll_up(session),
        *_broken_statements(session, entries),
        *_broken_liability(session, entries),
        *_broken_groups(session, entries),
    ]


def _broken_roll_up(session: Session) -> Iterator[Any]:
    """The roll-up, by whatever way it became so, is what a rebuild makes of the ledger."""
    names = (*months.KEY, *months.COLUMNS)
    kept = {
        tuple(getattr(row, name) for name in names) for row in session.scalars(select(RewardMonth))
    }
    raw = {
        tuple(value if name in months.KEY else int(value) for name, value in row.items())
        for row in session.execute(months.raw(session)).mappings()
    }
    yield from kept ^ raw


def _broken_statements(session: Session, entries: list[LedgerEntry]) -> Iterator[Any]:
    moments = [None, utc_now(), *_some_moments(entries)]
    for partner in sorted({entry.partner_id for entry in entries}):
        mine = [entry for entry in entries if entry.partner_id == partner]
        busy = {months.month_of(entry.happened_at) for entry in mine}
        some = sorted(busy | {after_month(month) for month in busy})
        for as_of in moments:
            yield from _broken_chain(session, partner, some, as_of, mine)
        for month in some:
            now, then = (
                statements.balances(session, Wanted(partner, month, as_of))
                for as_of in (None, utc_now())
            )
            if now != then:
                yield "as of now", partner, month, now, then


def _some_moments(entries: list[LedgerEntry]) -> list[datetime]:
    """Three times at which something was posted, over all the time that there was."""
    moments = sorted({entry.posted_at for entry in entries})
    return moments[:: len(moments) // 3 + 1]


def _broken_chain(
    session: Session, partner: int, some: list[date], as_of: datetime | None,
    mine: list[LedgerEntry],
) -> Iterator[Any]:  # fmt: skip
    """Each month begins with what the one before ended with, and ends with all that was known.

    some: months of which no other that anything happened in lies between.
    """
    before: dict[str, int] = {}
    for month in some:
        wanted = Wanted(partner, month, as_of)
        balances = statements.balances(session, wanted)
        lines = statements.lines(session, wanted, 1_000)
        for row in balances:
            name = row["currency"]
            changed = sum(line["amount_minor"] for line in lines if line["currency"] == name)
            if row["opening_minor"] != before.get(name, 0):
                yield "opening", partner, month, as_of, row, before
            if row["closing_minor"] != row["opening_minor"] + changed:
                yield "lines", partner, month, as_of, row, lines
        before = {row["currency"]: row["closing_minor"] for row in balances}
    known: Counter[str] = Counter()
    for entry in mine:
        if as_of is None or entry.posted_at <= as_of:
            known[entry.currency] += entry.owed_minor
    if {k: v for k, v in before.items() if v} != {k: v for k, v in known.items() if v}:
        yield "closing", partner, as_of, before, known


def _all(report: Callable[[Any], tuple[dict[str, Any], Any]]) -> list[Any]:
    """The rows of all pages, of which each begins after the one before."""
    answer, after = report(None)
    found = list(answer["data"])
    while after is not None:
        answer, after = report(after)
        found += answer["data"]
    return found


def _broken_liability(session: Session, entries: list[LedgerEntry]) -> Iterator[Any]:
    now = liability.report(session, {}, None, 1, None)[0]["totals"]
    if liability.report(session, {"as_of": utc_now()}, None, 1, None)[0]["totals"] != now:
        yield "liability as of now", now
    statuses = {key: status for key, status in session.execute(select(Reward.id, Reward.status))}  # noqa: C416
    held = sum(entry.amount_minor for entry in entries if statuses[entry.reward_id] == "hold")
    if sum(row["held_minor"] for row in now) != held:
        yield "held", now, held
    for moment in _some_moments(entries):
        totals = liability.report(session, {"as_of": moment}, None, 1, None)[0]["totals"]
        known = sum(entry.owed_minor for entry in entries if entry.posted_at <= moment)
        as_of = {"as_of": moment}
        by_partner = _all(lambda after: liability.report(session, as_of, None, 2, after))  # noqa: B023
        for name in liability.AMOUNTS:
            if sum(row[name] for row in totals) != sum(row[name] for row in by_partner):
                yield "liability by partner", moment, name, totals, by_partner
        if sum(row["total_minor"] for row in totals) != known:
            yield "liability", moment, totals, known


def _broken_groups(session: Session, entries: list[LedgerEntry]) -> Iterator[Any]:
    """By whatever one groups, it sums to the same; page by page too."""
    total: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        total[(entry.currency, "amount_minor")] += entry.amount_minor
        total[(entry.currency, f"{entry.effect}_minor")] += entry.owed_minor
        total[(entry.currency, "rewards")] += entry.opens
    for size in (0, 1, 2):
        for dimensions in combinations(grouping.DIMENSIONS, size):
            found: Counter[tuple[str, str]] = Counter()
            for row in grouping.walk(session, {"group_by": dimensions}, None, 3):
                for name in (*grouping.AMOUNTS, "rewards"):
                    found[(row["currency"], name)] += row[name]
            wrong = {key for key in found if found[key] != total[key]}
            if wrong:
                yield dimensions, wrong, found, total
