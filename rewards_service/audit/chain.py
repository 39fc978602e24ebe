"""How audit entries are sealed: each hash covers the entry and the hash before it."""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from rewards_service.kit.clock import rfc3339

GENESIS = bytes(32)  # what the first entry follows


class Sealed(NamedTuple):
    """What the hash of an entry covers, beside the hash before it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: int
    reason: str | None
    detail: Any


def seal(previous: bytes, entry: Sealed) -> bytes:
    """SHA-256 over the hash before and the entry as JSON with sorted keys, without spaces."""
    members = {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": [entry.subject_kind, entry.subject_id],
        "reason": entry.reason,
        "detail": as_stored(entry.detail),
    }
    return sha256(previous + orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest()


def as_stored(detail: Any) -> Any:
    """A detail as it comes back from the database: times are texts, tuples are lists."""
    return orjson.loads(orjson.dumps(detail))
