"""Members of Chargebee's objects that no reward hangs on, by lists of what to read (pure).

An odd one is left out: it quarantines nothing. Numbers stay integers or decimal texts.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    return tuple(Member(column, name, read) for column, name in (*zip(names, names, strict=True),
                                                                 *renamed.items()))  # fmt: skip


def read(wanted: Sequence[Member], payload: Payload) -> Row:
    """The columns of one object."""
    return {column: reader(payload.get(name)) for column, name, reader in wanted}


def rows(wanted: Sequence[Member], listed: object, **fixed: Any) -> list[Row]:
    """The columns of each object of a list, with its position; what is no object is left out."""
    return [
        {"position": position, **fixed, **read(wanted, one)}
        for position, one in enumerate(objects(listed))
    ]


def objects(listed: object) -> Iterator[Payload]:
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
    if isinstance(value, str):
        return _spell(Decimal(value)) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    # 1e400000 is a number too: it would be spelled with as many zeros.
    return _spell(exact) if exact.is_finite() and abs(exact.adjusted()) < _LONGEST_DECIMAL else None


def _spell(value: Decimal) -> str:
    spelled = f"{value:f}"
    # 1.10 and 1.1 are one rate: the webhook's reader and the API's must say the same.
    return (spelled.rstrip("0").rstrip(".") if "." in spelled else spelled)[:_LONGEST_DECIMAL]


def rate(value: object) -> str | None:
    """A positive rate as decimal text; None when it is missing or no rate."""
    if isinstance(value, str):
        return None
    found = decimal(value)
    return found if found is not None and Decimal(found) > 0 else None


def custom(payload: Payload) -> Mapping[str, Any]:
    """What the site itself defined: its cf_ members, with their case."""
    return {name: value for name, value in payload.items() if name.startswith("cf_")}
