"""What charts.js draws: numbers in an attribute, and the same in words for who cannot see it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from rewards_service.kit.money import exponent

BAR, LINE = "bar", "line"


class Series(NamedTuple):
    """A row of numbers with its name."""

    name: str
    values: Sequence[int]


class Chart(NamedTuple):
    """A picture: `currency` says that values are its minor units, None that they are counts."""

    title: str
    kind: str
    labels: Sequence[str]
    series: Sequence[Series]
    currency: str | None = None
    horizontal: bool = False
    stacked: bool = False

    def drawn(self) -> dict[str, Any]:
        """As charts.js takes it."""
        return {
            "kind": self.kind,
            "labels": list(self.labels),
            "series": [{"name": one.name, "values": list(one.values)} for one in self.series],
            "currency": self.currency,
            "digits": 0 if self.currency is None else exponent(self.currency),
            "horizontal": self.horizontal,
            "stacked": self.stacked,
        }

    def words(self) -> str:
        """What it shows; the table below it has the numbers."""
        what = ", ".join(one.name for one in self.series)
        of = f"from {self.labels[0]} to {self.labels[-1]}" if self.labels else "without anything"
        unit = f" in {self.currency}" if self.currency else ""
        return f"{self.title}{unit}: {what}, {of}. The table below has the same numbers."
