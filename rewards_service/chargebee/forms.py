"""Chargebee's spelling of bodies and filters as form fields (pure)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

Pairs = list[tuple[str, str]]

# Members whose value is one JSON text, however deep, and not fields of the form.
JSON_MEMBERS = frozenset({"meta_data", "metadata", "exemption_details"})
OPERATORS = frozenset(
    {"is", "is_not", "starts_with", "in", "not_in", "is_present", "after", "before", "on"}
    | {"between", "gt", "lt", "gte", "lte"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LISTS = frozenset({"in", "not_in", "between"})


class Filter(NamedTuple):
    """`member[operator]=value`; a list of values for in, not_in and between."""

    member: str
    operator: str
    value: Any


def between(member: str, first_at: datetime, last_at: datetime) -> Filter:
    """Times from `first_at` to `last_at`, in whole seconds."""
    return Filter(member, "between", [first_at, last_at])


def one_of(member: str, values: Sequence[str]) -> Filter:
    """Any of these texts."""
    return Filter(member, "in", list(values))


def encode_filters(filters: Sequence[Filter]) -> Pairs:
    """Query parameters; ValueError for an operator Chargebee does not know or an odd value."""
    return [_encode_filter(wanted) for wanted in filters]


def _encode_filter(wanted: Filter) -> tuple[str, str]:
    member, operator, value = wanted
    if operator not in OPERATORS:
        raise ValueError(f"There is no filter {operator}.")
    if (operator in _LISTS) != isinstance(value, list | tuple):
        raise ValueError(f"The filter {operator} takes {'a list' if operator in _LISTS else 'one'}")
    if operator in _LISTS:
        if not value or (operator == "between" and len(value) != 2):
            raise ValueError(f"The filter {operator} has the wrong number of values.")
        return f"{member}[{operator}]", f"[{','.join(_listed(item) for item in value)}]"
    return f"{member}[{operator}]", text_of(value)


def _listed(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else text_of(value)


def encode_form(fields: Mapping[str, Any]) -> Pairs:
    """A body as form fields, nested ones in brackets.

    `{"a": {"b": 1}}` is `a[b]=1`, `{"a": ["x", "y"]}` is `a[0]=x`, `a[1]=y`, and a list of objects
    `{"a": [{"b": 1}]}` is `a[b][0]=1`. None empties a field. Times are sent as epoch seconds,
    decimals digit for digit. TypeError for float and whatever else has no exact text; ValueError
    for an empty list or object, which a form cannot say.
    """
    pairs: Pairs = []
    for name, value in fields.items():
        pairs += _encode_member(str(name), value, str(name))
    return pairs


def _encode_member(name: str, value: Any, key: str) -> Pairs:
    if key in JSON_MEMBERS and value is not None and not isinstance(value, str):
        return [(name, json.dumps(value, allow_nan=False, default=_refuse))]
    if isinstance(value, list | tuple | Mapping) and not value:
        raise ValueError(f"{name} is empty, which a form cannot say.")
    if isinstance(value, Mapping):
        pairs: Pairs = []
        for part, below in value.items():
            pairs += _encode_member(f"{name}[{part}]", below, str(part))
        return pairs
    if isinstance(value, list | tuple):
        return _encode_list(name, value)
    return [(name, text_of(value))]


def _encode_list(name: str, values: Sequence[Any]) -> Pairs:
    pairs: Pairs = []
    for position, value in enumerate(values):
        if isinstance(value, list | tuple):
            raise ValueError(f"{name} is a list in a list, which a form cannot say.")
        if not isinstance(value, Mapping):
            pairs.append((f"{name}[{position}]", text_of(value)))
            continue
        for part, below in value.items():
            if isinstance(below, list | tuple | Mapping) and part not in JSON_MEMBERS:
                raise ValueError(f"{name}[{part}] is nested deeper than a form can say.")
            pairs += [
                (f"{name}[{part}][{position}]", text)
                for _, text in _encode_member("", below, str(part))
            ]
    return pairs


def text_of(value: Any) -> str:
    """The exact text of one value. TypeError for those that have none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return str((value - _EPOCH) // timedelta(seconds=1))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    raise _inexact(value)


def _refuse(value: Any) -> NoReturn:
    raise _inexact(value)


def _inexact(value: Any) -> TypeError:
    return TypeError(f"A {type(value).__name__} has no exact text for Chargebee.")
