"""JSON out, form fields in: how a request's text becomes parameters (pure)."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from rewards_service.kit.money import MAX_AMOUNT, is_currency
from rewards_service.simulator.errors import missing, unreadable, wrong_value

Fields = Iterable[tuple[str, str]]
_NAME = re.compile(r"[^\[\]]+")
_DEEPEST = 4
_FALSE, _TRUE = ("false", "0"), ("true", "1")


def dumps(value: object) -> bytes:
    """JSON; a Decimal is written digit by digit, never through a float."""
    return orjson.dumps(value, default=_plain)


def _plain(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    raise TypeError(type(value).__name__)


def nested(fields: Fields) -> dict[str, Any]:
    """`a[b][0]=x` as {"a": {"b": {"0": "x"}}}. Raises ApiError on a field that is both."""
    found: dict[str, Any] = {}
    for name, value in fields:
        parts = _NAME.findall(name)
        if not parts or len(parts) > _DEEPEST:
            raise unreadable(f"The parameter {name} cannot be read.")
        inside = found
        for part in parts[:-1]:
            inside = inside.setdefault(part, {})
            if not isinstance(inside, dict):
                raise unreadable(f"The parameter {name} is a value and a list at once.")
        inside[parts[-1]] = value
    return found


class Params:
    """The parameters of a call. Every reader names the parameter when it refuses the value."""

    def __init__(self, given: Mapping[str, Any] | None = None, at: str = "") -> None:
        self.given = dict(given or {})
        self._at = at

    def name(self, name: str) -> str:
        return f"{self._at}[{name}]" if self._at else name

    def has(self, name: str) -> bool:
        return self.given.get(name) not in (None, "")

    def text(self, name: str, longest: int = 250) -> str | None:
        value = self.given.get(name)
        if value is None:
            return None
        if isinstance(value, Mapping | list):
            raise wrong_value(self.name(name), "must be a text")
        if len(str(value)) > longest:
            raise wrong_value(self.name(name), f"cannot be longer than {longest} characters")
        return str(value)

    def required(self, name: str, longest: int = 250) -> str:
        value = self.text(name, longest)
        if not value:
            raise missing(self.name(name))
        return value

    def amount(self, name: str, least: int = 0) -> int | None:
        """An integer, in minor units where it is money."""
        if not self.has(name):
            return None
        text = str(self.text(name)).strip()
        if not re.fullmatch(r"\d{1,19}", text) or not least <= int(text) <= MAX_AMOUNT:
            raise wrong_value(self.name(name), f"must be a number of at least {least}")
        return int(text)

    def required_amount(self, name: str, least: int = 0) -> int:
        value = self.amount(name, least)
        if value is None:
            raise missing(self.name(name))
        return value

    def percent(self, name: str) -> Decimal | None:
        if not self.has(name):
            return None
        try:
            value = Decimal(self.required(name))
        except InvalidOperation:
            value = Decimal(-1)
        if not 0 < value <= 100:
            raise wrong_value(self.name(name), "must be above 0 and at most 100")
        return value

    def flag(self, name: str) -> bool | None:
        if not self.has(name):
            return None
        word = str(self.text(name)).lower()
        if word not in (*_FALSE, *_TRUE):
            raise wrong_value(self.name(name), "must be true or false")
        return word in _TRUE

    def choice(self, name: str, words: Iterable[str]) -> str | None:
        value = self.text(name) or None
        if value is not None and value not in words:
            raise wrong_value(self.name(name), f"must be one of {', '.join(sorted(words))}")
        return value

    def currency(self, name: str = "currency_code") -> str | None:
        value = self.text(name) or None
        if value is not None and not is_currency(value):
            raise wrong_value(self.name(name), "is no currency")
        return value

    def inside(self, name: str) -> "Params":
        """The members of `name[...]`; none when there are none."""
        value = self.given.get(name)
        return Params(value if isinstance(value, Mapping) else {}, self.name(name))

    def words(self, name: str) -> list[str] | None:
        """`name[0]=a&name[1]=b`; None when the parameter is not there."""
        value = self.given.get(name)
        if value is None:
            return None
        members = value.values() if isinstance(value, Mapping) else value
        return [] if isinstance(members, str) else [str(word) for word in members]

    def rows(self, name: str) -> list["Params"]:
        """`name[member][0]=a` turned into one set of parameters for each index."""
        by_index: dict[str, dict[str, Any]] = {}
        for member, values in self.inside(name).given.items():
            if not isinstance(values, Mapping):
                raise wrong_value(f"{self.name(name)}[{member}]", "needs an index")
            for index, value in values.items():
                by_index.setdefault(index, {})[member] = value
        ordered = sorted(by_index.items(), key=lambda item: (len(item[0]), item[0]))
        return [Params(row, f"{self.name(name)}[{index}]") for index, row in ordered]
