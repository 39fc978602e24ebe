"""Members of Chargebee's objects that no reward hangs on, by lists of what to read (pure).

An odd one is left out: it quarantines nothing. Numbers stay integers or decimal texts.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from rewards_service.chargebee import wire
from rewards_service.chargebee.wire import Payload
from rewards_service.kit.money import is_currency

Row = dict[str, Any]
_LARGEST = 2**63 - 1
_LONGEST_DECIMAL = 60
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class Member(NamedTuple):
    """A column, the member that it is read from, and how."""

    column: str
    name: str
    read: Callable[[Any], Any]


def members(read: Callable[[Any], Any], *names: str, **renamed: str) -> tuple[Member, ...]:
    """Members read alike: those whose column is called the same, then column=member."""
    same = zip(names, names, strict=True)
    return tuple(Member(column, name, read) for column, name in (*same, *renamed.items()))


class Shape:
    """The columns of one kind of object. What is absent costs nothing: most members are."""

    def __init__(self, *wanted: Member) -> None:
        self._empty: Row = dict.fromkeys(member.column for member in wanted)
        self._by_name = {member.name: (member.column, member.read) for member in wanted}

    def read(self, payload: Payload) -> Row:
        """All the columns, None where the payload does not say or says something odd."""
        found = self._empty.copy()
        for name in self._by_name.keys() & payload.keys():
            column, reader = self._by_name[name]
            found[column] = reader(payload[name])
        return found

    def read_list(self, listed: object, **fixed: Any) -> list[Row]:
        """The columns of each object of a list, with its position and what is the same for all."""
        if not listed:
            return []
        return [
            {"position": position, **fixed, **self.read(one)}
            for position, one in enumerate(objects(listed))
        ]


def objects(listed: object) -> Iterator[Payload]:
    """The objects of a list; nothing else of it, and nothing of what is no list."""
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield one


def text(value: object) -> str | None:
    """A name or word: cleaned, at most 500 characters."""
    return wire.free_text(value)


def name_of(value: object) -> str | None:
    """An id: as it is, or not at all."""
    is_id = isinstance(value, str) and 0 < len(value) <= wire.MAX_ID and wire.is_clean(value)
    return str(value) if is_id else None


time = wire.epoch


def number(value: object) -> int | None:
    """An integer of 64 bits: an amount in minor units, or a count."""
    return value if type(value) is int and -_LARGEST <= value <= _LARGEST else None


def yes(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def currency(value: object) -> str | None:
    return str(value) if is_currency(value) else None


def decimal(value: object) -> str | None:
    """A decimal as text without zeros at its end, whether it came as text or as a number."""
    if isinstance(value, float):
        spelled = repr(value)
        if spelled.strip("-.0123456789"):  # 1e-07, inf, nan
            return _spell(Decimal(spelled))
        return _trim(spelled)
    if isinstance(value, str):
        return _trim(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return _spell(Decimal(value))


def _spell(value: Decimal) -> str | None:
    # 1e400000 is a number too: it would be spelled with as many zeros.
    if not value.is_finite() or abs(value.adjusted()) >= _LONGEST_DECIMAL:
        return None
    return _trim(f"{value:f}")


def _trim(spelled: str) -> str:
    # 1.10 and 1.1 are one rate: the webhook's reader and the API's must say the same.
    return (spelled.rstrip("0").rstrip(".") if "." in spelled else spelled)[:_LONGEST_DECIMAL]


def rate(value: object) -> str | None:
    """A positive rate as decimal text; None when it is missing or no rate."""
    found = None if isinstance(value, str) else decimal(value)
    return None if found is None or found.startswith("-") or not found.strip("0.") else found
