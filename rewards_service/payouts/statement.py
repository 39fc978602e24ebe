"""What a partner is paid: which rewards, how much, and how much that is in another currency.

Pure: integers of the minor unit and exact fractions in, the same out. Proved by its properties.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

from rewards_service.kit.money import MAX_AMOUNT, exponent, round_amount

# Why a partner is left out of a payout.
NOTHING_DUE, NEGATIVE_BALANCE = "nothing_due", "negative_balance"
BELOW_THRESHOLD, TOO_LARGE = "below_threshold", "too_large"
LEFT_OUT = (NOTHING_DUE, NEGATIVE_BALANCE, BELOW_THRESHOLD, TOO_LARGE)

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


class Due(NamedTuple):
    """An approved reward that is in no payout, minor units; negative: a clawback."""

    reward_id: int
    amount_minor: int
    available_on: date


class Statement(NamedTuple):
    """What of the dues makes a payout; `left_out` says why there is none, lines are then empty.

    `total_minor` is the sum either way: below 0 it is what the partner owes and carries (V4).
    """

    lines: list[Due]
    total_minor: int
    left_out: str | None


class Conversion(NamedTuple):
    """A total in another currency: exact, rounded once, and its parts, which sum to it."""

    exact_minor: Fraction
    total_minor: int
    parts: list[int]


def draw_up(dues: Iterable[Due], cut_off: date, threshold_minor: int = 0) -> Statement:
    """The payout of one partner in one currency: what is available at the cut-off, and every debt.

    A reward that was taken back after it was paid nets at once, whenever it falls due (V4). The
    order of `dues` does not matter. A total of 0 or less makes no payout, nor does one below the
    threshold.
    """
    lines = sorted(
        due for due in dues
        if due.amount_minor < 0 or (due.amount_minor > 0 and due.available_on <= cut_off)
    )  # fmt: skip
    total = sum(line.amount_minor for line in lines)
    if total > MAX_AMOUNT:
        return Statement([], total, TOO_LARGE)
    if total <= 0:
        return Statement([], total, NEGATIVE_BALANCE if total < 0 else NOTHING_DUE)
    if total < threshold_minor:
        return Statement([], total, BELOW_THRESHOLD)
    return Statement(lines, total, None)


def parse_decimal_rate(text: str) -> Fraction:
    """The exact value of a rate such as "1.0842". Raises ValueError for anything else, and for 0.

    Up to twelve digits before and behind the point.
    """
    if not _DECIMAL.fullmatch(text) or not Fraction(text):
        raise ValueError(f"Not a positive decimal number such as 1.0842: {text[:40]!r}")
    return Fraction(text)


def invert_rate(text: str) -> str:
    """The text of the exact inverse: "1/1.0842" of "1.0842"."""
    return f"1/{text}"


def exact_rate(text: str) -> Fraction:
    """The exact value of a rate as lines carry it: "1.0842", "1/1.0842" or "271/250"."""
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below or "1")


def mean_rate(earlier: Sequence[tuple[int, str]]) -> str | None:
    """The rate at which what was paid before is taken back: [(minor units, rate)] -> rate.

    One rate stays that rate. Several give the one by which taking back all of it takes back
    exactly what was paid. None when there is nothing to take back.
    """
    rates = {rate for _, rate in earlier}
    if len(rates) <= 1:
        return next(iter(rates), None)
    total = sum(amount for amount, _ in earlier)
    paid = sum((amount * exact_rate(rate) for amount, rate in earlier), Fraction(0))
    if total <= 0 or paid <= 0:
        return earlier[0][1]
    mean = paid / total
    return f"{mean.numerator}/{mean.denominator}"


def convert(lines: Sequence[tuple[int, str]], from_currency: str, to_currency: str) -> Conversion:
    """[(minor units, rate)] in another currency, rounded half-even once, on the exact sum (V7).

    Rates are units for units: 1000 JPY at 0.0065 are 6.50 USD, 650 minor units. The parts are the
    lines' exact values, brought to integers by largest remainder (tie: the earlier line).
    """
    shift = Fraction(10) ** (exponent(to_currency) - exponent(from_currency))
    exact = [amount * exact_rate(rate) * shift for amount, rate in lines]
    total = sum(exact, Fraction(0))
    rounded = round_amount(total)
    return Conversion(total, rounded, _apportion(exact, rounded))


def _apportion(exact: Sequence[Fraction], total: int) -> list[int]:
    parts = [floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def threshold_of(thresholds: Mapping[str, int], currency: str) -> int:
    """The threshold of a currency, minor units; none: 0."""
    return thresholds.get(currency, 0)


def exact_text(value: Fraction) -> str:
    """An exact number for people: as a decimal when it ends, else as a fraction `1250/3`."""
    most = value.denominator.bit_length()  # as many places has a decimal that ends, at most
    scaled = abs(value) * 10**most
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = f"{scaled.numerator:0{most + 1}d}"
    whole, places = digits[:-most], digits[-most:].rstrip("0")
    text = f"{whole}.{places}" if places else whole
    return f"-{text}" if value < 0 else text
