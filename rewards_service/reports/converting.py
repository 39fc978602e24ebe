"""Sums in another currency, at rates on record only (DOMAIN V7): a missing one is named."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.money import exponent, round_amount
from rewards_service.payouts.exchange import Quote, find_quote
from rewards_service.payouts.statement import exact_rate

Row = dict[str, Any]
# More currencies than any group has: rows of a group that begins on a page are all read with it.
MOST_CURRENCIES = 400


class Page(NamedTuple):
    """Rows, and the place after which more follow, None at the end."""

    rows: list[Row]
    last: list[Any] | None


def whole_groups(
    rows: Sequence[Row], key: Callable[[Row], list[Any]], limit: int, all_read: bool
) -> tuple[list[list[Row]], list[Any] | None]:
    """The first `limit` groups of rows with one key, and where more follow.

    Unless `all_read`, of the last group some rows may be missing: it is left for the next page.
    """
    groups = [list(some) for _, some in groupby(rows, key)]
    shown = groups[:limit] if all_read else groups[: min(limit, len(groups) - 1)]
    follows = len(shown) < len(groups) or not all_read
    return shown, key(shown[-1][0]) if follows else None


class Converter:
    """Converts rows of a report into one currency at the rates of one day.

    Remembers which rates it used and which it missed. A row in a currency without a rate stays
    as it is.
    """

    def __init__(self, session: Session, to_currency: str, on: date | None) -> None:
        self._session = session
        self.to_currency = to_currency
        self.on = on or utc_now().date()
        self._quotes: dict[str, Quote | None] = {}

    def merge(
        self, rows: Sequence[Row], amounts: Iterable[str], counts: Iterable[str]
    ) -> list[Row]:
        """Rows of one group, each in a currency of its own, as one; behind it those left over.

        Each amount is summed exactly and rounded once, half-even.
        """
        usable = [row for row in rows if self._rate(row["currency"]) is not None]
        left = [row for row in rows if self._rate(row["currency"]) is None]
        if not usable:
            return left
        merged = {**usable[0], "currency": self.to_currency}
        for name in amounts:
            exact = (Fraction(row[name]) * self._factor(row["currency"]) for row in usable)
            merged[name] = round_amount(sum(exact, Fraction(0)))
        for name in counts:
            merged[name] = sum(row[name] for row in usable)
        return [merged, *left]

    def told(self) -> Row:
        """`convert_to`, and the rates that were used with their dates and sources."""
        used = [
            {
                "from_currency": currency, "to_currency": self.to_currency, "rate": quote.rate,
                "rate_on": quote.rate_on, "source": quote.source,
            }
            for currency, quote in sorted(self._quotes.items())
            if quote is not None
        ]  # fmt: skip
        missing = sorted(name for name, quote in self._quotes.items() if quote is None)
        return {
            "convert_to": self.to_currency, "convert_on": self.on, "rates": used,
            "missing_rates": missing,
        }  # fmt: skip

    def _rate(self, currency: str) -> str | None:
        if currency == self.to_currency:
            return "1"
        if currency not in self._quotes:
            found = find_quote(self._session, currency, self.to_currency, self.on)
            self._quotes[currency] = found
        quote = self._quotes[currency]
        return None if quote is None else quote.rate

    def _factor(self, currency: str) -> Fraction:
        shift = Fraction(10) ** (exponent(self.to_currency) - exponent(currency))
        return exact_rate(self._rate(currency) or "0") * shift


def converter(session: Session, wanted: Mapping[str, Any]) -> Converter | None:
    """What `convert_to` and `convert_on` ask for; None when nothing is to be converted."""
    if "convert_to" not in wanted:
        return None
    return Converter(session, wanted["convert_to"], wanted.get("convert_on"))


def told(found: Converter | None) -> Row:
    """As `Converter.told`, also where nothing was converted."""
    nothing: Row = {"convert_to": None, "convert_on": None, "rates": [], "missing_rates": []}
    return nothing if found is None else found.told()
