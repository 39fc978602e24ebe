"""Pages of the API's lists as events of our own log, so that a replay meets them too (pure).

Such an event holds objects as Chargebee's list had them: `content.list` is that of the answer. It
tells how things stand and of nothing that happened, so it makes no payment.
"""

from collections.abc import Sequence
from datetime import datetime

from rewards_service.chargebee import resources, wire
from rewards_service.chargebee.canonical import canonical_json
from rewards_service.chargebee.resources import Mirrored
from rewards_service.chargebee.wire import BadPayload, Payload

LISTED = "objects_listed"
_LONG_BODY = 100_000
_CHANGES = ("updated_at", "date", "created_at")


def changed_at(payload: Payload, otherwise: datetime) -> datetime:
    """When a listed object came to be as it is; `otherwise` where it does not say.

    Its event of that time told the same, so whichever of the two comes first makes no difference.
    """
    times = (wire.epoch(payload.get(name)) for name in _CHANGES)
    return next((time for time in times if time is not None), otherwise)


def content_of(kind: str, rows: Sequence[Payload]) -> bytes:
    """The content of an event that tells of these objects, as JSON."""
    return canonical_json({"list": [{kind: row} for row in rows]})


def body_of(event_id: str, event_type: str, occurred_at: datetime, content: bytes) -> bytes:
    """An event of ours as JSON, of the shape of Chargebee's; numbers as its webhooks spell them."""
    envelope = {
        "api_version": "v2",
        "event_type": event_type,
        "id": event_id,
        "object": "event",
        "occurred_at": int(occurred_at.timestamp()),
    }
    return canonical_json(envelope)[:-1] + b',"content":' + content + b"}"


def read_listed(content: Payload, listed_at: datetime) -> list[Mirrored]:
    """The objects of a page. Raises BadPayload for the first that cannot be read."""
    found = []
    for position, entry in enumerate(wire.objects(content, "list", "/content")):
        at = f"/content/list/{position}"
        for kind in entry:
            if kind not in resources.KINDS:
                raise BadPayload(f"{at}/{kind}", "is of a kind that is not mirrored")
            row = wire.required_object(entry, kind, at)
            item = resources.read(kind, row, False, False, f"{at}/{kind}")
            if len(item.body) > _LONG_BODY:
                item = resources.read(kind, row, False, True, f"{at}/{kind}")
            item.changed_at = changed_at(row, listed_at)
            found.append(item)
    return found
