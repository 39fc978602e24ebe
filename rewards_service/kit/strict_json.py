"""JSON as the standard says and no looser (pure): UTF-8, no NaN, no duplicate members."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

# Deeper values would break whoever writes or walks them with less stack left than the reader.
MAX_DEPTH = 100
_BOM = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The bytes are not one strict JSON value; the message says why."""


def parse_exact(body: bytes) -> Any:
    """As `parse`, with numbers that are no integers as Decimal: digit for digit as sent."""
    return parse(body, _exact)


def parse(body: bytes, real: Callable[[str], Any] | None = None) -> Any:
    """The value of a JSON text; NotJson for anything that two parsers could read differently."""
    try:
        text = body.removeprefix(_BOM).decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=real or _finite,
        )
    except RecursionError:
        raise NotJson("The JSON is nested too deeply.") from None
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8.") from None
    except NotJson:
        raise
    except ValueError as problem:
        raise NotJson(f"The body is not JSON: {problem}") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return value


def write_exact(value: Any) -> bytes:
    """A value of `parse_exact` as JSON again, its numbers digit for digit."""
    try:
        return orjson.dumps(value, default=_digits)
    except (TypeError, ValueError):  # integers beyond 64 bits, lone surrogates
        return _spelled(value).encode()


def _digits(value: Any) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError(f"A {type(value).__name__} is not JSON.")
    return orjson.Fragment(str(value))


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{_spelled(below)}" for name, below in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_spelled(below) for below in value) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _check_depth(value: Any) -> None:
    level, depth = [value] if isinstance(value, dict | list) else [], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise NotJson("The JSON is nested too deeply.")
        members = (part.values() if isinstance(part, dict) else part for part in level)
        level = [member for some in members for member in some if isinstance(member, dict | list)]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("The JSON has an object with the same member twice.")
    return found


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"The JSON holds {name}, which is not JSON.")


def _exact(text: str) -> Decimal:
    _finite(text)  # an exponent of millions is no number to calculate with
    return Decimal(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson("The JSON holds a number beyond any size.")
    return number
