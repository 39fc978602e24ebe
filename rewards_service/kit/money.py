"""Money as integers of the minor unit, exact fractions in between, one rounding at the end."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision

HALF_EVEN = "half_even"
HALF_UP = "half_up"
ROUNDINGS = (HALF_EVEN, HALF_UP)
MAX_AMOUNT = 2**63 - 1
RATE_UNIT = 1_000_000  # a rate is kept in millionths: 125_000 is 12.5 %
BASIS_POINTS = 10_000
# Where Babel's CLDR data has the digits that are usual in cash instead of ISO 4217's exponent.
_ISO_EXPONENTS = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2,
    "RSD": 2, "SLL": 2, "SOS": 2, "SYP": 2, "YER": 2,
}  # fmt: skip
_MILLIONTH = Decimal("0.000001")


@cache
def currency_codes() -> frozenset[str]:
    """Every upper-case ISO 4217 code in use now or once (Babel's CLDR data)."""
    names = get_global("all_currencies")
    return frozenset(code for code in names if len(code) == 3 and code.isalpha() and code.isupper())


def is_currency(value: object) -> bool:
    return isinstance(value, str) and value in currency_codes()


def exponent(currency: str) -> int:
    """Digits of the minor unit by ISO 4217: JPY 0, USD 2, KWD 3."""
    found = _ISO_EXPONENTS.get(currency)
    return get_currency_precision(currency) if found is None else found


def is_amount(value: object) -> bool:
    """An integer from 0 to 2^63-1; a bool or float is not one, whatever it equals."""
    return type(value) is int and 0 <= value <= MAX_AMOUNT


def round_amount(value: Fraction, mode: str = HALF_EVEN) -> int:
    """The nearest integer, the same for a value and its negative.

    half_even sends ties to the even neighbour (2.5 is 2, -2.5 is -2); half_up sends them away
    from zero (3, -3). Source: DOMAIN A5.
    """
    if mode == HALF_EVEN:
        return round(value)
    if mode != HALF_UP:
        raise ValueError(f"Unknown rounding: {mode!r}")
    size = abs(value)
    rounded = (2 * size.numerator + size.denominator) // (2 * size.denominator)
    return rounded if value >= 0 else -rounded


def split(amount: int, shares: Sequence[int]) -> list[int]:
    """Parts of `amount` in proportion to `shares` (basis points, summing to 10000).

    Largest remainder; a tie goes to the earlier share, so order shares by partner id. The parts
    of a negative amount are those of its opposite, negated. Source: DOMAIN A6, S7.
    """
    if sum(shares) != BASIS_POINTS or any(share < 0 for share in shares):
        raise ValueError("Shares must be basis points that sum to 10000.")
    size = abs(amount)
    parts = [size * share // BASIS_POINTS for share in shares]
    remainders = [size * share % BASIS_POINTS for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[: size - sum(parts)]:
        parts[index] += 1
    return parts if amount >= 0 else [-part for part in parts]


def parse_rate(text: str) -> int:
    """A rate such as "0.125" in millionths; ValueError when it is finer or not within 0..1."""
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"Not a decimal number: {text!r}") from None
    if not rate.is_finite() or not 0 <= rate <= 1:
        raise ValueError("A rate lies between 0 and 1; 20 % is 0.20.")
    kept = rate.quantize(_MILLIONTH)
    if kept != rate:
        raise ValueError("A rate has at most six decimal places.")
    return int(kept * RATE_UNIT)


def format_rate(millionths: int) -> str:
    """The decimal string of a rate with at least two places: 200_000 is "0.20"."""
    text = f"{Decimal(millionths) / RATE_UNIT:f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.ljust(2, '0')}"


def format_minor(amount: int, currency: str) -> str:
    """`-1250` USD as "-12.50 USD"; exact, for explanations."""
    digits = exponent(currency)
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**digits)
    places = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{whole}{places} {currency}"
