"""Take what is due for an endpoint, and note what came of it: lane by lane, one at a time.

Nothing is locked while something is sent: a lane is leased, and who holds the lease sends its
events one after the other. Who dies between sending and noting lets the lease run out, and the same
event, with the same id, is sent again: at least once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy.orm import Session

from rewards_service.outbound import queries, retrying
from rewards_service.outbound.models import (
    DELIVERED,
    FAILED,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)

# Well above the time that one attempt may take, with the look-up of its host.
LEASE = timedelta(seconds=120)
SUCCESS_NOTED_EVERY = timedelta(minutes=1)
LaneKey = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to send now; `secrets`: the sealed ones that sign it."""

    lane: LaneKey
    token: str
    delivery_id: int
    event_type: str
    message_id: str
    body: str
    url: str
    secrets: tuple[str, ...]
    at: datetime


class Reply(NamedTuple):
    """What came of an attempt: a status, or the code and text of why there is none."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    detail: str | None = None
    excerpt: str | None = None
    retry_after: str | None = None


def lease(session: Session, endpoint_id: int, now: datetime) -> Outgoing | None:
    """The next event that is due for an endpoint, along a lane nobody else serves; None: no one.

    Safe in many processes at once.
    """
    query = queries.due_lane(endpoint_id, now).with_for_update(of=WebhookLane, skip_locked=True)
    while (lane := session.scalars(query).one_or_none()) is not None:
        outgoing = _take(session, lane, uuid4().hex, now)
        if outgoing is not None:
            return outgoing
    return None


def _take(session: Session, lane: WebhookLane, token: str, now: datetime) -> Outgoing | None:
    """Lease a lane for its next event; a lane with none is over. The caller has it locked."""
    delivery = queries.head_of(session, lane)
    if delivery is None:
        session.delete(lane)
        session.flush()
        return None
    lane.lease_token, lane.lease_until_at = token, now + LEASE
    session.flush()
    endpoint = session.get_one(WebhookEndpoint, lane.endpoint_id)
    return Outgoing(
        (lane.endpoint_id, lane.subject_kind, lane.subject_id), token, delivery.id,
        delivery.event_type, delivery.message_id, delivery.body, endpoint.url,
        tuple(_live_secrets(endpoint, now)), now,
    )  # fmt: skip


def _live_secrets(endpoint: WebhookEndpoint, now: datetime) -> Sequence[str]:
    until = endpoint.previous_expires_at
    if endpoint.previous_secret_encrypted is None or until is None or until <= now:
        return [endpoint.secret_encrypted]
    return [endpoint.secret_encrypted, endpoint.previous_secret_encrypted]


def note(
    session: Session, sent: Outgoing, reply: Reply, now: datetime, chance: float
) -> Outgoing | None:
    """Keep what came of an attempt; what is to be sent next along the lane, if anything.

    Whose lease ran out meanwhile has no say about the lane any more: another one sends. chance: as
    in `retrying.wait_after`.
    """
    lane = session.get(WebhookLane, sent.lane, populate_existing=True, with_for_update=True)
    delivery = session.get(WebhookDelivery, sent.delivery_id, populate_existing=True)
    if lane is None or delivery is None or lane.lease_token != sent.token:
        return None
    _log(session, delivery, reply)
    if retrying.is_success(reply.status):
        delivery.state, delivery.finished_at = DELIVERED, now
        return _go_on(session, lane, now)
    lane.lease_token = lane.lease_until_at = None
    lane.next_attempt_at = now
    asked = retrying.asked_wait(reply.status, reply.retry_after, now)
    wait = asked if asked is not None else retrying.wait_after(delivery.tries, chance)
    if delivery.tries >= retrying.MOST_TRIES or wait is None:
        delivery.state, delivery.finished_at = FAILED, now
    else:
        lane.next_attempt_at = now + wait
    session.flush()
    _note_failure(session, lane.endpoint_id, reply, asked, now)
    return None


def _go_on(session: Session, lane: WebhookLane, now: datetime) -> Outgoing | None:
    """The next event of the lane at once, unless its endpoint was switched off meanwhile."""
    endpoint = session.get_one(WebhookEndpoint, lane.endpoint_id, populate_existing=True)
    _note_success(session, endpoint, now)
    if endpoint.enabled and endpoint.deleted_at is None:
        return _take(session, lane, uuid4().hex, now)
    lane.lease_token = lane.lease_until_at = None
    session.flush()
    return None


def _log(session: Session, delivery: WebhookDelivery, reply: Reply) -> None:
    delivery.attempts += 1
    delivery.tries += 1
    session.add(
        WebhookAttempt(
            delivery_id=delivery.id, number=delivery.attempts, at=reply.at,
            duration_ms=reply.duration_ms, status=reply.status, error=reply.error,
            detail=reply.detail, excerpt=reply.excerpt,
        )
    )  # fmt: skip


def _note_success(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Written now and then only: all lanes of an endpoint share its row."""
    last = endpoint.last_success_at
    is_well = endpoint.failing_since_at is None and endpoint.unanswered == 0
    if is_well and last is not None and last > now - SUCCESS_NOTED_EVERY:
        return
    endpoint.last_success_at = now
    endpoint.failing_since_at = endpoint.paused_until_at = None
    endpoint.unanswered = 0
    session.flush()


def _note_failure(
    session: Session, endpoint_id: int, reply: Reply, asked: timedelta | None, now: datetime
) -> None:
    endpoint = session.get_one(
        WebhookEndpoint, endpoint_id, populate_existing=True,
        with_for_update={"key_share": True},
    )  # fmt: skip
    endpoint.failing_since_at = endpoint.failing_since_at or now
    endpoint.last_failure_at = now
    endpoint.unanswered = endpoint.unanswered + 1 if reply.status is None else 0
    if asked is not None:
        endpoint.paused_until_at = now + asked
    elif endpoint.unanswered >= retrying.UNANSWERED_IN_A_ROW:
        endpoint.paused_until_at = now + retrying.PAUSE
    session.flush()
