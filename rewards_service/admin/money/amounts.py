"""Amounts as people type them: "12.50" in a currency (pure)."""

import re
from decimal import Decimal

from rewards_service.kit.money import exponent

_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,6})?")


def read_amount(text: str, currency: str) -> int:
    """Minor units of a decimal number: "-12.50" in USD is -1250, "93" in JPY 93.

    Raises ValueError, with words for whoever typed it, for anything else: what could be meant two
    ways ("1,000") is not guessed.
    """
    typed = text.strip().replace("−", "-")
    digits = exponent(currency)
    example = f"{Decimal(-1250).scaleb(-digits)}"
    if not _DECIMAL.fullmatch(typed):
        raise ValueError(
            f"Write a number such as {example}, with a point and without separators of thousands."
        )
    minor = Decimal(typed).scaleb(digits)
    if minor != minor.to_integral_value():
        raise ValueError(
            f"{currency} has {digits} digits after the point: write it like {example}."
        )
    return int(minor)
