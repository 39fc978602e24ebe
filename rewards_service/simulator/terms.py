"""Terms of subscriptions: when the next one starts, and what a month of one is worth (pure)."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from rewards_service.kit.money import round_amount

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_MONTHLY_DAYS = Fraction(365, 12)


def later(start: int, period: int, unit: str) -> int:
    """`start` (epoch seconds) plus so many days, weeks, months or years.

    A day that a month does not have becomes its last one: 31 January plus a month is 28 February.
    """
    moment = datetime.fromtimestamp(start, UTC)
    if unit in _DAYS:
        return int((moment + timedelta(days=_DAYS[unit] * period)).timestamp())
    months = moment.month - 1 + _MONTHS[unit] * period
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def monthly(amount: int, period: int, unit: str) -> int:
    """The monthly part of `amount` minor units for a period, half-even."""
    if unit in _MONTHS:
        return round_amount(Fraction(amount, _MONTHS[unit] * period))
    return round_amount(amount * _MONTHLY_DAYS / (_DAYS[unit] * period))


def remaining(amount: int, start: int, end: int, now: int) -> int:
    """The part of `amount` for the time from `now` to the end of a term, half-even."""
    if end <= start:
        return 0
    left = min(max(end - now, 0), end - start)
    return round_amount(Fraction(amount * left, end - start))
