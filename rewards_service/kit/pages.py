"""Lists in pages that continue after a key: as cheap at the end as at the start, and stable."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Row, Select, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from rewards_service.kit import crypto

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Keys are given in the order of creation, so both names mean the same order.
SORTS = ("id", "-id", "created_at", "-created_at")
_KEY_BYTES = 8
_SEAL_BYTES = 12

# Of a model, or of its table for a query of columns: those cost less than objects.
Key = InstrumentedAttribute[int] | Column[int]
Time = InstrumentedAttribute[datetime] | Column[datetime]


class Paging(NamedTuple):
    """Which page is wanted: rows after the key `after`, counted from an end of the list."""

    limit: int = DEFAULT_LIMIT
    descending: bool = False
    after: int | None = None


class Page(NamedTuple):
    """One page; `last` is the key to continue after, None when nothing follows."""

    rows: Sequence[Row[Any]]
    last: int | None


def fetch(
    session: Session, query: Select[Any], key: Key, paging: Paging,
    by: Time | None = None,
) -> Page:  # fmt: skip
    """The wanted page of `query` in the order of `key`, which its first column or entity holds.

    by: a time that the query is limited in, and that orders its rows before `key` does; an index
    on both then gives any page at once, where the order of keys alone would have all rows before
    the period read, or all in it sorted.

    One more row than wanted is read: it tells whether another page follows.
    """
    order = (key,) if by is None else (by, key)
    if paging.after is not None:
        query = query.where(_behind(key, by, paging))
    ordered = [part.desc() if paging.descending else part.asc() for part in order]
    rows = session.execute(query.order_by(*ordered).limit(paging.limit + 1)).all()
    shown = rows[: paging.limit]
    last = _key_of(shown[-1], key) if len(rows) > paging.limit else None
    return Page(shown, last)


def _behind(key: Key, by: Time | None, paging: Paging) -> Any:
    if by is None:
        return key < paging.after if paging.descending else key > paging.after
    at = select(by).where(key == paging.after).correlate(None).scalar_subquery()
    here, last = tuple_(by, key), tuple_(at, literal(paging.after))
    return here < last if paging.descending else here > last


def _key_of(row: Row[Any], key: Key) -> int:
    first = row[0]
    value = first if isinstance(first, int) else getattr(first, key.key)
    return int(value)


def seal_cursor(secret_key: str, purpose: str, key: int) -> str:
    """An opaque cursor that is good for one list in one order (`purpose`) only."""
    raw = key.to_bytes(_KEY_BYTES, "big")
    return base64.urlsafe_b64encode(raw + _seal(secret_key, purpose, raw)).decode().rstrip("=")


def open_cursor(secret_key: str, purpose: str, cursor: str) -> int | None:
    """The key inside a cursor; None when it was not made here for this list and order."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    key, seal = raw[:_KEY_BYTES], raw[_KEY_BYTES:]
    if len(key) != _KEY_BYTES or not crypto.same(seal, _seal(secret_key, purpose, key)):
        return None
    return int.from_bytes(key, "big")


def seal_place(secret_key: str, purpose: str, place: Sequence[Any]) -> str:
    """As `seal_cursor`, for a place in a list whose keys are several texts and numbers."""
    raw = orjson.dumps(list(place))
    return base64.urlsafe_b64encode(_seal(secret_key, purpose, raw) + raw).decode().rstrip("=")


def open_place(secret_key: str, purpose: str, cursor: str) -> list[Any] | None:
    """The place inside a cursor; None when it was not made here for this list."""
    try:
        opened = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    seal, raw = opened[:_SEAL_BYTES], opened[_SEAL_BYTES:]
    if not crypto.same(seal, _seal(secret_key, purpose, raw)):
        return None
    found: list[Any] = orjson.loads(raw)
    return found


def _seal(secret_key: str, purpose: str, raw: bytes) -> bytes:
    return crypto.digest(secret_key, f"cursor:{purpose}", raw)[:_SEAL_BYTES]
