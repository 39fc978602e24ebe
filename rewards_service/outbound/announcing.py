"""Say that something has happened: told to every endpoint that asked, if the change is committed.

Written in the transaction of the change itself, so that neither is there without the other. Where
nobody listens it costs one small query for each transaction, and no row.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any, NamedTuple

import orjson
from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from rewards_service.kit import bells
from rewards_service.kit.at_commit import AtCommit
from rewards_service.kit.bulk import insert_rows
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.db import insert_many, table_of
from rewards_service.kit.queue import WEBHOOKS
from rewards_service.outbound.event_types import ALL
from rewards_service.outbound.models import (
    PENDING,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)

_LISTENERS, _RING = "webhook_listeners", "webhook_ring"
# Whoever sends along the lane right now holds its row for a moment: what comes waits for that.
JOIN_LANE = (
    "ON CONFLICT (endpoint_id, subject_kind, subject_id) "
    "DO UPDATE SET subject_id = excluded.subject_id"
)

Subject = tuple[str, int]  # kind and key of what an event is about: its lane


class _Announced(NamedTuple):
    event_type: str
    subject: Subject
    data: Mapping[str, Any]
    at: datetime
    endpoint_ids: Sequence[int]


def wanted(session: Session, event_types: Collection[str]) -> bool:
    """Whether anybody wants to be told of any of these; where not, no data need be put together."""
    return any(_takers(session, event_type) for event_type in event_types)


def announce(
    session: Session,
    event_type: str,
    subject: Subject,
    data: Mapping[str, Any],
    only: int | None = None,
) -> None:
    """Tell of something that happened to `subject`, when the caller's transaction commits.

    data: JSON values, with the names and meanings of the API. Events of one subject are told in
    the order of these calls. only: the endpoint that is told, whatever it asked for.
    """
    takers = _takers(session, event_type) if only is None else [only]
    if takers:
        _announced.add(session, _Announced(event_type, subject, data, utc_now(), takers))


def _takers(session: Session, event_type: str) -> list[int]:
    listeners: dict[int, frozenset[str]] | None = session.info.get(_LISTENERS)
    if listeners is None:
        listeners = session.info[_LISTENERS] = _load(session)
    return [key for key, types in listeners.items() if event_type in types or ALL in types]


def _load(session: Session) -> dict[int, frozenset[str]]:
    own = WebhookEndpoint
    query = select(own.id, own.events).where(own.enabled.is_(True), own.deleted_at.is_(None))
    with session.no_autoflush:
        return {key: frozenset(types) for key, types in session.execute(query.order_by(own.id))}


def _write(session: Session, announced: list[_Announced]) -> None:
    rows, lanes = [], {}
    now = utc_now()
    for one in announced:
        message_id = f"msg_{token_hex(16)}"
        body = _body(one)
        for endpoint_id in one.endpoint_ids:
            lane = (endpoint_id, *one.subject)
            lanes[lane] = {
                "endpoint_id": endpoint_id, "subject_kind": lane[1], "subject_id": lane[2],
                "next_attempt_at": now,
            }  # fmt: skip
            rows.append(
                {
                    "endpoint_id": endpoint_id, "message_id": message_id,
                    "event_type": one.event_type, "subject_kind": lane[1], "subject_id": lane[2],
                    "body": body, "state": PENDING, "attempts": 0, "tries": 0,
                    "created_at": one.at,
                }
            )  # fmt: skip
    insert_many(session, WebhookDelivery, rows)
    in_order = [lanes[lane] for lane in sorted(lanes)]  # or two writers wait for each other
    insert_rows(session, table_of(WebhookLane), in_order, JOIN_LANE)
    ring_when_committed(session)


def ring_when_committed(session: Session) -> None:
    """Have a worker look for what is to be sent as soon as the caller's transaction is over."""
    session.info[_RING] = True


def _body(one: _Announced) -> str:
    told = {"type": one.event_type, "timestamp": rfc3339(one.at), "data": one.data}
    return orjson.dumps(told).decode()


_announced = AtCommit("webhooks_announced", _write, first=True)


@event.listens_for(Session, "after_commit")
def _ring(session: Session) -> None:
    if session.info.pop(_RING, False):
        bells.ring(WEBHOOKS)


@event.listens_for(Session, "after_transaction_end")
def _forget_listeners(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_LISTENERS, None)
        session.info.pop(_RING, None)
