"""The one spelling of a Chargebee object, to keep it and to tell versions apart (pure)."""

import json
from decimal import Decimal
from typing import Any

import orjson

# Longer texts live in the raw body of the event only.
LONGEST_KEPT_TEXT = 10_000


def canonical_json(value: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces; equal objects, equal bytes."""
    try:
        return orjson.dumps(value, default=_real, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, default=_real, sort_keys=True, separators=(",", ":")).encode()


def _real(value: object) -> float:
    """A decimal of the API as the webhook's reader has it: one spelling, wherever it came from.

    Only for the body that is kept: what the books need is read from the exact value.
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"A {type(value).__name__} is not JSON.")
    return float(value)


def cut(value: Any) -> Any:
    """The value with long texts shortened to what is kept."""
    if isinstance(value, str):
        return value[:LONGEST_KEPT_TEXT]
    if isinstance(value, dict):
        return {key: cut(member) for key, member in value.items()}
    if isinstance(value, list):
        return [cut(member) for member in value]
    return value
