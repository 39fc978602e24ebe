"""What makes a JSON value an event, and what of it may be kept: however it came to us (pure)."""

from hashlib import sha256
from typing import Any

from rewards_service.chargebee.wire import epoch, is_clean
from rewards_service.inbox.models import POLL, WEBHOOK
from rewards_service.inbox.recording import Delivery
from rewards_service.kit.strict_json import write_exact

MAX_EVENT_ID = 100
MAX_EVENT_TYPE = 100


def not_an_event(value: Any) -> str | None:
    """Why a JSON value is no event; None when it is one."""
    if not isinstance(value, dict):
        return "The body is not a JSON object."
    event_id = value.get("id")
    if not isinstance(event_id, str) or not 1 <= len(event_id) <= MAX_EVENT_ID:
        return f"The event has no id: a text of 1 to {MAX_EVENT_ID} characters."
    if not is_clean(event_id):
        return "The event's id holds control characters."
    if not isinstance(value.get("event_type"), str):
        return "The event has no event_type: a text."
    if not isinstance(value.get("content"), dict):
        return "The event has no content: an object."
    return None


def received(body: bytes, value: dict[str, Any]) -> Delivery:
    """The delivery of an event that a webhook brought as `body`; `value` is what it says."""
    return _delivery(value, card_free(body, value), sha256(body).digest(), WEBHOOK)


def listed(value: dict[str, Any]) -> Delivery:
    """The delivery of an event as the API lists it; there are no bytes but those that are kept."""
    body = write_exact(without_card(value))
    return _delivery(value, body, sha256(body).digest(), POLL)


def _delivery(value: dict[str, Any], body: bytes, body_sha256: bytes, source: str) -> Delivery:
    event_type, occurred_at = _storable(value["event_type"]), epoch(value.get("occurred_at"))
    return Delivery(value["id"], event_type, occurred_at, body, body_sha256, source)


def card_free(body: bytes, value: dict[str, Any]) -> bytes:
    """The bytes to keep: as received, or written anew without `content.card`."""
    kept = without_card(value)
    return body if kept is value else write_exact(kept)


def without_card(value: dict[str, Any]) -> dict[str, Any]:
    """The event itself, or another without `content.card` when that is there."""
    content = value.get("content")
    if not isinstance(content, dict) or "card" not in content:
        return value
    return {**value, "content": {k: v for k, v in content.items() if k != "card"}}


def _storable(event_type: str) -> str:
    """No real type is long or holds control characters; an unreal one is only to be recorded."""
    cut = event_type[:MAX_EVENT_TYPE]
    return cut if is_clean(cut) else "".join(c if c.isprintable() else "�" for c in cut)
