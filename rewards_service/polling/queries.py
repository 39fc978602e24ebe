"""Which sites' event logs are to be read now."""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from rewards_service.integrations.models import EventPoll, Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import database_now

EVERY = timedelta(minutes=5)


def due(session: Session, now: datetime | None = None) -> list[int]:
    """Integrations with an API key whose log is to be read at `now`, the longest waiting first.

    Also those in mode off: what they record has no effects, and none later either (DOMAIN M13).
    One that failed is due earlier when it was changed since, for it may have a new key.
    """
    at = now or utc_now()
    poll, own = EventPoll, Integration
    free = or_(poll.lease_until.is_(None), poll.lease_until < database_now(session))
    mended = and_(
        poll.failing_since_at.is_not(None),
        own.updated_at > poll.attempted_at,
        poll.attempted_at <= at - EVERY,
    )
    ready = or_(poll.next_poll_at.is_(None), poll.next_poll_at <= at, mended)
    query = (
        select(own.id)
        .outerjoin(poll, poll.integration_id == own.id)
        .where(own.deleted_at.is_(None), own.api_key_encrypted.is_not(None), free, ready)
        .order_by(poll.attempted_at.is_not(None), poll.attempted_at, own.id)
    )
    return list(session.scalars(query))


def has_due(session: Session) -> bool:
    """Whether any log is to be read now."""
    return bool(due(session))
