"""Find endpoints, what waits for them, and what became of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, defer

from rewards_service.kit.db import database_now
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.outbound.models import (
    PENDING,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)


def list_endpoints(session: Session, paging: Paging) -> Page:
    query = select(WebhookEndpoint).where(WebhookEndpoint.deleted_at.is_(None))
    return fetch(session, query, WebhookEndpoint.id, paging)


def get_endpoint(session: Session, endpoint_id: int, lock: bool = False) -> WebhookEndpoint:
    """Raises NotFound, also for one that was deleted."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.deleted_at.is_(None)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("There is no such webhook endpoint.")
    return found


def count_endpoints(session: Session) -> int:
    query = select(func.count()).select_from(WebhookEndpoint)
    return session.scalars(query.where(WebhookEndpoint.deleted_at.is_(None))).one()


def due_endpoints(session: Session, now: datetime) -> list[int]:
    """Endpoints that something is due for right now, and that may be called."""
    lane = exists().where(WebhookLane.endpoint_id == WebhookEndpoint.id, *_is_due(now))
    query = select(WebhookEndpoint.id).where(*_is_open(now), lane)
    return list(session.scalars(query.order_by(WebhookEndpoint.id)))


def has_due(session: Session) -> bool:
    """Whether anything is to be sent right now, by the database's clock."""
    return bool(due_endpoints(session, database_now(session)))


def due_lane(endpoint_id: int, now: datetime) -> Select[WebhookLane]:
    """The lane of an endpoint that is due for longest."""
    return (
        select(WebhookLane)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookLane.endpoint_id)
        .where(WebhookLane.endpoint_id == endpoint_id, *_is_open(now), *_is_due(now))
        .order_by(WebhookLane.next_attempt_at)
        .limit(1)
    )


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    paused = WebhookEndpoint.paused_until_at
    return (
        WebhookEndpoint.enabled.is_(True),
        WebhookEndpoint.deleted_at.is_(None),
        or_(paused.is_(None), paused <= now),
    )


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(WebhookLane.lease_until_at.is_(None), WebhookLane.lease_until_at <= now)
    return (WebhookLane.next_attempt_at <= now, free)


def head_of(session: Session, lane: WebhookLane) -> WebhookDelivery | None:
    """What is to be sent next along a lane."""
    own = WebhookDelivery
    same = and_(
        own.endpoint_id == lane.endpoint_id,
        own.subject_kind == lane.subject_kind,
        own.subject_id == lane.subject_id,
        own.state == PENDING,
    )
    return session.scalars(select(own).where(same).order_by(own.id).limit(1)).one_or_none()


def list_deliveries(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """What was and is to be told, without the bodies; `wanted`: an `endpoint_id`, a `state`."""
    deleted = select(WebhookEndpoint.id).where(WebhookEndpoint.deleted_at.is_not(None))
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id.not_in(deleted))
    for name in ("endpoint_id", "state"):
        if name in wanted:
            query = query.where(getattr(WebhookDelivery, name) == wanted[name])
    return fetch(session, query.options(defer(WebhookDelivery.body)), WebhookDelivery.id, paging)


def get_delivery(session: Session, delivery_id: int, lock: bool = False) -> WebhookDelivery:
    """Raises NotFound, also for one of an endpoint that was deleted."""
    query = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("There is no such delivery; it may be older than what is kept.")
    get_endpoint(session, found.endpoint_id)
    return found


def attempts_of(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[WebhookAttempt]]:
    """Delivery -> its attempts, the first one first."""
    found: dict[int, list[WebhookAttempt]] = defaultdict(list)
    query = (
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id.in_(delivery_ids))
        .order_by(WebhookAttempt.delivery_id, WebhookAttempt.number)
    )
    for attempt in session.scalars(query):
        found[attempt.delivery_id].append(attempt)
    return found


def next_attempts(session: Session, deliveries: Sequence[WebhookDelivery]) -> dict[int, datetime]:
    """Pending delivery -> when its lane is served next."""
    waiting = [one for one in deliveries if one.state == PENDING]
    if not waiting:
        return {}
    found = session.scalars(select(WebhookLane).where(or_(*map(_lane_of, waiting))))
    served = {(lane.endpoint_id, lane.subject_kind, lane.subject_id): lane for lane in found}
    return {
        one.id: lane.next_attempt_at
        for one in waiting
        if (lane := served.get((one.endpoint_id, one.subject_kind, one.subject_id))) is not None
    }


def _lane_of(one: WebhookDelivery) -> ColumnElement[bool]:
    return and_(
        WebhookLane.endpoint_id == one.endpoint_id,
        WebhookLane.subject_kind == one.subject_kind,
        WebhookLane.subject_id == one.subject_id,
    )


class Waiting(NamedTuple):
    """What waits for an endpoint: how many events, and since when."""

    pending: int
    oldest_at: datetime | None


def waiting(session: Session, endpoint_ids: Sequence[int]) -> dict[int, Waiting]:
    own: Any = WebhookDelivery
    query = (
        select(own.endpoint_id, func.count(), func.min(own.created_at))
        .where(own.endpoint_id.in_(endpoint_ids), own.state == PENDING)
        .group_by(own.endpoint_id)
    )
    return {key: Waiting(count, oldest) for key, count, oldest in session.execute(query)}


class Backlog(NamedTuple):
    """For the metrics: over all endpoints."""

    pending: int
    oldest_at: datetime | None
    failing: int
    disabled: int


def read_backlog(session: Session) -> Backlog:
    own, endpoint = WebhookDelivery, WebhookEndpoint
    count, oldest = session.execute(
        select(func.count(), func.min(own.created_at)).where(own.state == PENDING)
    ).one()
    live = select(func.count()).select_from(endpoint).where(endpoint.deleted_at.is_(None))
    failing = session.scalars(
        live.where(endpoint.enabled.is_(True), endpoint.failing_since_at.is_not(None))
    ).one()
    disabled = session.scalars(live.where(endpoint.disabled_reason.is_not(None))).one()
    return Backlog(count, oldest, failing, disabled)
