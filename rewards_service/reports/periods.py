"""Days, weeks and months in a time zone, one after the other (pure)."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from math import gcd
from zoneinfo import ZoneInfo

from rewards_service.kit.clock import start_of_day

DAY, WEEK, MONTH = "day", "week", "month"
INTERVALS = (DAY, WEEK, MONTH)
_DAY_SECONDS = 86_400


def after_month(first: date, number: int = 1) -> date:
    """The first day of the month so many months after that of `first`."""
    months = first.year * 12 + first.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def first_of(interval: str, day: date) -> date:
    """The first day of the interval that a day belongs to; weeks begin on Monday."""
    if interval == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == MONTH else day


def after(interval: str, first: date, number: int = 1) -> date:
    """The first day of the interval so many intervals after the one that begins with `first`."""
    if interval == MONTH:
        return after_month(first, number)
    return first + timedelta(days=number * (7 if interval == WEEK else 1))


def day_of(at: datetime, timezone: str) -> date:
    return at.astimezone(ZoneInfo(timezone)).date()


def split(interval: str, from_at: datetime, before_at: datetime, timezone: str) -> list[date]:
    """The first days of all intervals that have a moment of [from_at, before_at)."""
    found = []
    first = first_of(interval, day_of(from_at, timezone))
    while start_of_day(first, timezone) < before_at:
        found.append(first)
        first = after(interval, first)
    return found


def count(interval: str, from_at: datetime, before_at: datetime) -> int:
    """About how many intervals there are, to refuse too many before they are made."""
    days = max((before_at - from_at).days, 0)
    return days // {DAY: 1, WEEK: 7, MONTH: 28}[interval] + 1


def step(starts: Sequence[datetime]) -> int:
    """The longest step, in seconds since 1970, that no start lies within: a day at most."""
    return reduce(gcd, (int(at.timestamp()) for at in starts), _DAY_SECONDS)


def place(starts: Sequence[datetime], at: datetime) -> int:
    """The place of the interval that a moment belongs to, by the intervals' starts."""
    return max(bisect_right(starts, at) - 1, 0)
