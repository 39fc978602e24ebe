"""Exact numbers in words: money, fractions, percentages (pure)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rewards_service.kit.money import exponent, format_minor, round_amount

Stored = Mapping[str, Any]
PLACES = 6  # an amount that ends within so many decimal places is shown in full


def step(label: str, detail: str, value: Fraction | int) -> dict[str, Any]:
    """A step of an explanation; its value is null where it is no whole amount."""
    whole = Fraction(value)
    minor = whole.numerator if whole.denominator == 1 else None
    return {"label": label, "detail": detail, "value_minor": minor}


def money(minor: Fraction | int, stored: Stored) -> str:
    """Minor units as "40.00 USD"; what is no whole amount as "33.3335 USD" or "100/3 USD"."""
    value, currency = Fraction(minor), stored["currency"]
    if value.denominator == 1:
        return format_minor(value.numerator, currency)
    shown = number(value, stored)
    about = format_minor(round_amount(value), currency)
    return f"{shown} {currency} (about {about})" if "/" in shown else f"{shown} {currency}"


def number(minor: Fraction, stored: Stored) -> str:
    """The same without the currency."""
    if minor.denominator == 1:
        return format_minor(minor.numerator, stored["currency"]).partition(" ")[0]
    major = minor / 10 ** exponent(stored["currency"])
    exact = (major * 10**PLACES).denominator == 1
    return decimal(major) if exact else f"{major.numerator}/{major.denominator}"


def decimal(value: Fraction) -> str:
    """A number that ends within six decimal places, without trailing zeros."""
    millionths = value * 10**PLACES
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths.numerator), 10**PLACES)
    return f"{sign}{whole}.{rest:06d}".rstrip("0").rstrip(".")
