"""Numbers as people type them: "12.50" in a currency, "12.50 USD, 93 JPY", "24" (pure).

What could be meant two ways is not guessed: "1,000" is a thousand for some and one for others.
"""

import re
from decimal import Decimal

from rewards_service.kit.cells import decimal_text
from rewards_service.kit.money import MAX_AMOUNT, exponent, is_currency

_DECIMAL = re.compile(r"([+-]?[0-9]{1,15})(?:[.,]([0-9]{1,6}))?")
_TOO_MANY = re.compile(r"[+-]?[0-9]{16,}(?:[.,][0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_THOUSANDS = 3  # digits after a comma that may have been meant to part thousands
_BEFORE, _NUMBER, _AFTER = (
    r"(?:([A-Za-z]{3})\s*)?",
    r"([0-9]+(?:[.,][0-9]+)?)",
    r"\s*([A-Za-z]{3})?",
)
_ONE = re.compile(rf"\s*{_BEFORE}{_NUMBER}{_AFTER}[ \t\r]*(?:[,;\n]|$)")
_TOO_LARGE = "No amount is that large."
_EXAMPLE = "Write amounts with their currencies, such as 500.00 EUR, 450.00 USD."


def read_amount(text: str, currency: str) -> int:
    """Minor units of a decimal number: "-12.50" in USD is -1250, "93" in JPY 93.

    A comma may stand for the point. Raises ValueError, with words for whoever typed it, for
    anything else.
    """
    plain = text.strip().replace("−", "-")
    typed = _DECIMAL.fullmatch(plain)
    digits = exponent(currency)
    example = decimal_text(1250, currency)
    places = "" if typed is None else typed.group(2) or ""
    if _TOO_MANY.fullmatch(plain):
        raise ValueError(_TOO_LARGE)
    if typed is None or ("," in text and len(places) == _THOUSANDS):
        point = "with a point and " if digits else ""
        raise ValueError(
            f"Write a number such as {example}, {point}without separators of thousands."
        )
    if len(places) > digits:
        told = f"{digits} decimal places" if digits else "no decimal places"
        raise ValueError(f"{currency} has {told}: write it like {example}.")
    minor = int(Decimal(f"{typed.group(1)}.{places}").scaleb(digits))
    if abs(minor) > MAX_AMOUNT:
        raise ValueError(_TOO_LARGE)
    return minor


def read_amounts(text: str) -> dict[str, int]:
    """`5.00 USD, 4,50 EUR` or `JPY 300`, one a line, as minor units by currency.

    Raises ValueError, with words for whoever typed it.
    """
    found: dict[str, int] = {}
    place = 0
    while place < len(text.rstrip()):
        part = _ONE.match(text, place)
        if part is None or bool(part.group(1)) == bool(part.group(3)):
            raise ValueError(_EXAMPLE)
        place, currency = part.end(), (part.group(1) or part.group(3)).upper()
        if not is_currency(currency):
            raise ValueError(f"{currency} is no currency of ISO 4217.")
        if currency in found:
            raise ValueError(f"{currency} is named twice.")
        found[currency] = read_amount(part.group(2), currency)
    return found


def read_whole(text: str) -> int:
    """`" 24 "` as 24: ASCII digits and nothing else, for `int` takes "1_0" for 10 as well.

    Raises ValueError, with words for whoever typed it.
    """
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError("Write a whole number in digits, such as 24.")
    return int(text)
