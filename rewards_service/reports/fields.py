"""Query parameters that only reports have."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, NamedTuple

from marshmallow import ValidationError, fields

from rewards_service.reports.periods import after_month

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_PERIOD = re.compile(r"([0-9]{4})(?:-(?:([0-9]{2})|Q([1-4])))?")
ALL = "all"


class Span(NamedTuple):
    """Months from the first to the one before the second, by their first days; None: no end."""

    first: date | None = None
    before: date | None = None


class Month(fields.String):
    """YYYY-MM outside, its first day inside."""

    described: ClassVar = {"example": "2026-01"}

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:%Y-%m}"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = _MONTH.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Not a month such as 2026-01.")
        return _first_day(int(found[1]), int(found[2]))


class Period(fields.String):
    """`all`, a year `2026`, a quarter `2026-Q1` or a month `2026-01`; a `Span` inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"example": "2026-Q1"}, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if value == ALL:
            return Span()
        found = _PERIOD.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Not all, a year 2026, a quarter 2026-Q1 or a month 2026-01.")
        year, month, quarter = int(found[1]), found[2], found[3]
        if month:
            first = _first_day(year, int(month))
            return Span(first, after_month(first))
        if quarter:
            first = _first_day(year, int(quarter) * 3 - 2)
            return Span(first, after_month(first, 3))
        first = _first_day(year, 1)
        return Span(first, after_month(first, 12))


def _first_day(year: int, month: int) -> date:
    if not (1970 <= year < 2200 and 1 <= month <= 12):
        raise ValidationError("Not a month between 1970 and 2199.")
    return date(year, month, 1)


class Names(fields.String):
    """Some of a few names, with commas between them, each once; in the order given."""

    def __init__(self, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(metadata={"example": ",".join(names[:2])}, **kwargs)
        self._names = names

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        given = value.split(",") if isinstance(value, str) and value else []
        if len(set(given)) < len(given) or not set(given) <= set(self._names):
            raise ValidationError(f"Not some of {', '.join(self._names)}, each at most once.")
        return tuple(given)
