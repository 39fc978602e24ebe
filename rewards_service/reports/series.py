"""What was earned, taken back and paid, day by day, week by week or month by month."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import instant, start_of_day, utc_now
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.refusals import invalid_member
from rewards_service.reports import periods
from rewards_service.reports.converting import Converter, Row, told
from rewards_service.reports.grouping import (
    AMOUNTS,
    COUNTS,
    FILTERS_OF_REWARDS,
    MEASURES,
    filtered,
    sums_of_entries,
    walk,
)
from rewards_service.rewards.models import LedgerEntry

COLUMNS = ("period", "currency", *MEASURES)
MOST_PERIODS = 1_000
# How many intervals are shown when nobody says from when on.
_USUAL = {periods.DAY: 30, periods.WEEK: 12, periods.MONTH: 12}
_NOTHING = dict.fromkeys(MEASURES, 0)


def report(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> Row:
    """The answer of the report: one row for each interval and currency, also where nothing was.

    wanted: `interval`, `timezone`, `happened_from`, `happened_before` (times, or days in that time
    zone) and the filters of `grouping`. Intervals are cut to [from, before). Raises Unprocessable
    for more than 1,000 of them, or none.
    """
    from_at, before_at = bounds(wanted)
    return {
        "interval": wanted["interval"],
        "timezone": wanted["timezone"],
        "from": from_at,
        "before": before_at,
        "data": rows(session, wanted, found),
        **told(found),
    }


def rows(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> list[Row]:
    """The rows of the report, by interval, then currency."""
    from_at, before_at = bounds(wanted)
    interval, timezone = wanted["interval"], wanted["timezone"]
    firsts = periods.split(interval, from_at, before_at, timezone)
    starts = [start_of_day(first, timezone) for first in firsts]
    if _is_in_roll_up(wanted, from_at, before_at):
        sums = _kept_sums(session, wanted, firsts)
    else:
        sums = _sums(session, wanted, starts, (from_at, before_at))
    currencies = {currency for _, currency in sums}
    currencies |= {wanted["currency"]} if "currency" in wanted else set()
    shown: list[Row] = []
    for number, first in enumerate(firsts):
        some = [
            {"period": first, "currency": currency, **sums.get((number, currency), _NOTHING)}
            for currency in sorted(currencies)
        ]
        shown += some if found is None else found.merge(some, AMOUNTS, COUNTS)
    return shown


def bounds(wanted: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """[from, before) of what is asked for; without an end up to that of the present interval."""
    interval, timezone = wanted["interval"], wanted["timezone"]
    before_at = instant(wanted.get("happened_before"), timezone)
    from_at = instant(wanted.get("happened_from"), timezone)
    if before_at is None:
        today = periods.first_of(interval, periods.day_of(utc_now(), timezone))
        before_at = start_of_day(periods.after(interval, today), timezone)
    if from_at is None:
        day = periods.day_of(before_at - timedelta(microseconds=1), timezone)
        first = periods.first_of(interval, day)
        from_at = start_of_day(periods.after(interval, first, 1 - _USUAL[interval]), timezone)
    if from_at >= before_at:
        raise invalid_member("happened_at[lt]", "Must be later than happened_at[gte].")
    if periods.count(interval, from_at, before_at) > MOST_PERIODS:
        raise invalid_member(
            "interval", f"More than {MOST_PERIODS} of them: ask for longer ones, or for less time."
        )
    return from_at, before_at


def _is_in_roll_up(wanted: Mapping[str, Any], from_at: datetime, before_at: datetime) -> bool:
    """Whether whole months of UTC are asked for, by nothing that the roll-up does not know."""
    whole = all(at == start_of_day(periods.first_of(periods.MONTH, at.date()), "UTC")
                for at in (from_at, before_at))  # fmt: skip
    asked = (wanted["interval"], wanted["timezone"]) == (periods.MONTH, "UTC")
    return asked and whole and not wanted.keys() & set(FILTERS_OF_REWARDS)


def _kept_sums(
    session: Session, wanted: Mapping[str, Any], firsts: Sequence[date]
) -> dict[tuple[int, str], dict[str, int]]:
    """As `_sums`, from the month roll-up."""
    last = periods.after(periods.MONTH, firsts[-1])
    months = {**wanted, "group_by": ("month",), "month_from": firsts[0], "month_before": last}
    places = {first: number for number, first in enumerate(firsts)}
    return {
        (places[row["month"]], row["currency"]): {name: row[name] for name in MEASURES}
        for row in walk(session, months, None)
    }


def _sums(
    session: Session, wanted: Mapping[str, Any], starts: Sequence[datetime],
    between: tuple[datetime, datetime],
) -> dict[tuple[int, str], dict[str, int]]:  # fmt: skip
    """(place of the interval, currency) -> measures.

    Neither database knows all time zones: it sums by the longest steps that the intervals are made
    of, at least a quarter of an hour, and the steps are put together here.
    """
    step = periods.step(starts)
    bucket = _epoch(session) / step if is_postgresql(session) else _epoch(session).op("/")(step)
    sums = sums_of_entries()
    query = select(bucket, LedgerEntry.currency, *sums.values()).where(
        LedgerEntry.happened_at >= between[0], LedgerEntry.happened_at < between[1]
    )
    grouped = filtered(query, wanted).group_by(bucket, LedgerEntry.currency)
    found: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: dict(_NOTHING))
    for number, currency, *values in session.execute(grouped):
        at = datetime.fromtimestamp(int(number) * step, UTC)
        row = found[(periods.place(starts, at), currency)]
        for name, value in zip(sums, values, strict=True):
            row[name] += int(value)
    for row in found.values():
        row["amount_minor"] = sum(row[name] for name in AMOUNTS[1:4])
    return found


def _epoch(session: Session) -> Any:
    """Whole seconds since 1970."""
    at = LedgerEntry.happened_at
    if is_postgresql(session):
        return cast(func.floor(func.extract("epoch", at)), Integer)
    return cast(func.strftime("%s", at), Integer)
