"""Answers as their schemas describe them, without asking each field of each row how it is written.

A schema stays the description. Which function writes which of its members is found once; a row is
then one loop over these. What comes out is what marshmallow's `dump` gives: a property test over
all answers of the interface says so.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from marshmallow import Schema, fields, missing
from marshmallow.utils import get_value

from rewards_service.kit import ids, money
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.fields import Instant, InstantOrDay, PublicId, Rate

Write = Callable[[Any], Any]
_NONE = frozenset({type(None)})


class Writer(NamedTuple):
    """What gives out a value: not at all, for values of the types `as_is`, and else by `write`.

    is_plain: nothing but text, integers, booleans and None comes out, in lists and objects.
    """

    write: Write
    as_is: frozenset[type] = _NONE
    is_plain: bool = True


class _Member(NamedTuple):
    key: str  # outside
    name: str  # inside
    as_is: frozenset[type]
    write: Write
    default: Any


@lru_cache(maxsize=1_000)
def writer_of(schema: Schema) -> Writer:
    """What gives out whatever `schema.dump` does."""
    if _is_special(schema):
        return Writer(schema.dump, frozenset(), is_plain=False)
    writers = {name: _writer(field) for name, field in schema.dump_fields.items()}
    members = [
        _Member(
            name if field.data_key is None else field.data_key,
            name if field.attribute is None else field.attribute,
            writers[name].as_is,
            writers[name].write,
            field.dump_default,
        )
        for name, field in schema.dump_fields.items()
    ]
    write: Write = partial(_object, members)
    is_plain = all(writer.is_plain for writer in writers.values())
    return Writer(partial(_list, write, frozenset()) if schema.many else write, is_plain=is_plain)


def _is_special(schema: Schema) -> bool:
    """Whether its answers are more than their members, or a member more than its value."""
    return (
        any(schema._hooks[name] for name in ("pre_dump", "post_dump"))
        or type(schema).get_attribute is not Schema.get_attribute
        or any(
            isinstance(field, fields.Method | fields.Function | fields.Constant)
            for field in schema.dump_fields.values()
        )
    )


def _writer(field: fields.Field[Any]) -> Writer:
    """By the function that its class writes with: a class that has its own is of another kind."""
    known = _KINDS.get(type(field)._serialize)
    return known(field) if known else Writer(_by_itself(field), frozenset(), is_plain=False)


def _by_itself(field: fields.Field[Any]) -> Write:
    return lambda value: field._serialize(value, field.name, None)


def _unchanged(field: fields.Field[Any]) -> Writer:
    is_plain = isinstance(field, fields.Boolean)
    return Writer(_by_itself(field), _NONE | {bool}, is_plain)


def _number(field: Any) -> Writer:
    is_whole = isinstance(field, fields.Integer) and not field.as_string
    return Writer(_by_itself(field), _NONE | {int} if is_whole else _NONE, is_whole)


def _day_or_time(field: Any) -> Writer:
    spelt = field.SERIALIZATION_FUNCS.get(field.format, _by_itself(field))
    return Writer(spelt, is_plain=isinstance(field, fields.Date))


def _listed(field: Any) -> Writer:
    inner = _writer(field.inner)
    return Writer(partial(_list, inner.write, inner.as_is), is_plain=inner.is_plain)


# None is None for all of them.
_KINDS: dict[Any, Callable[[Any], Writer]] = {
    fields.Field._serialize: _unchanged,
    fields.String._serialize: lambda field: Writer(_by_itself(field), _NONE | {str}),
    fields.Number._serialize: _number,
    fields.Date._serialize: _day_or_time,
    fields.List._serialize: _listed,
    fields.Nested._serialize: lambda field: writer_of(field.schema)._replace(as_is=_NONE),
    PublicId._serialize: lambda field: Writer(partial(ids.encode, field.prefix)),
    Instant._serialize: lambda _: Writer(rfc3339),
    InstantOrDay._serialize: lambda _: Writer(rfc3339),
    Rate._serialize: lambda _: Writer(money.format_rate),
}


def _object(members: Sequence[_Member], row: Any) -> dict[str, Any]:
    """One that has all its members, mostly, in a dictionary."""
    try:
        return {
            key: value if type(value := row[name]) in as_is else write(value)
            for key, name, as_is, write, _ in members
        }
    except (KeyError, IndexError, TypeError, AttributeError):
        return _object_of_some(members, row)


def _object_of_some(members: Sequence[_Member], row: Any) -> dict[str, Any]:
    """One that lacks some, or whose members are attributes."""
    found = {}
    for key, name, as_is, write, default in members:
        value = get_value(row, name)
        if value is missing:
            value = default() if callable(default) else default
        if value is not missing:
            found[key] = value if type(value) in as_is else write(value)
    return found


def _list(write: Write, as_is: frozenset[type], values: Any) -> list[Any]:
    return [value if type(value) in as_is else write(value) for value in values]
