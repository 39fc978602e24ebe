"""How long the log of deliveries is kept."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, select, update
from sqlalchemy.orm import Session

from rewards_service.outbound.models import (
    FAILED,
    PENDING,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)

BATCH = 1_000  # deliveries at a time: others want to write as well


def has_old(session: Session, before: datetime) -> bool:
    """Whether there is anything to forget."""
    old = (_finished(before), _waiting(before), _orphaned())
    return any(session.scalar(select(exists().where(one))) for one in old)


def forget(session: Session, before: datetime, now: datetime) -> int:
    """Delete what was finished before a time; give up what has waited since before it.

    What waits for an endpoint that was deleted goes at once. At most BATCH of each; returns how
    many deliveries were deleted. Lanes with nothing in them go when they are served next.
    """
    # First the lanes, as whoever sends does.
    session.execute(delete(WebhookLane).where(WebhookLane.endpoint_id.in_(_deleted())))
    own = WebhookDelivery
    waiting = select(own.id).where(_waiting(before)).order_by(own.created_at).limit(BATCH)
    session.execute(
        update(own)
        .where(own.id.in_(waiting.with_for_update(skip_locked=True)))
        .values(state=FAILED, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    deleted = 0
    for which, order in ((_finished(before), own.finished_at), (_orphaned(), own.id)):
        query = select(own.id).where(which).order_by(order).limit(BATCH)
        ids = session.scalars(query.with_for_update(skip_locked=True)).all()
        session.execute(delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(ids)))
        session.execute(delete(own).where(own.id.in_(ids)))
        deleted += len(ids)
    return deleted


def _finished(before: datetime) -> ColumnElement[bool]:
    return WebhookDelivery.finished_at < before


def _waiting(before: datetime) -> ColumnElement[bool]:
    return (WebhookDelivery.state == PENDING) & (WebhookDelivery.created_at < before)


def _deleted() -> Select[int]:
    return select(WebhookEndpoint.id).where(WebhookEndpoint.deleted_at.is_not(None))


def _orphaned() -> ColumnElement[bool]:
    return WebhookDelivery.endpoint_id.in_(_deleted())
