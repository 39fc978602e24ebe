"""The strict JSON of `kit.strict_json`, and what of a body may be kept (pure)."""

import json
from typing import Any

import orjson

from rewards_service.kit.strict_json import NotJson, parse

__all__ = ["NotJson", "card_free", "parse"]


def card_free(body: bytes, value: dict[str, Any]) -> bytes:
    """The bytes to keep: as received, or written anew without `content.card`."""
    content = value.get("content")
    if not isinstance(content, dict) or "card" not in content:
        return body
    kept = {**value, "content": {k: v for k, v in content.items() if k != "card"}}
    try:
        return orjson.dumps(kept)
    except (TypeError, ValueError):  # integers beyond 64 bits, lone surrogates
        return json.dumps(kept, separators=(",", ":")).encode()
