"""Look at backfills."""

from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from rewards_service.history.models import AT_WORK, Backfill, BackfillList
from rewards_service.kit.db import database_now


def has_due(session: Session) -> bool:
    """Whether somebody could go on with a backfill now."""
    now = database_now(session)
    free = or_(Backfill.lease_until.is_(None), Backfill.lease_until < now)
    due = or_(Backfill.next_attempt_at.is_(None), Backfill.next_attempt_at <= now)
    return bool(session.scalar(select(exists().where(Backfill.state.in_(AT_WORK), free, due))))


def lists_of(session: Session, backfill_id: int) -> list[BackfillList]:
    """The lists of a backfill, in the order in which they are fetched."""
    query = select(BackfillList).where(BackfillList.backfill_id == backfill_id)
    return list(session.scalars(query.order_by(BackfillList.position)))


def shown(session: Session, backfill: Backfill) -> dict[str, Any]:
    """A backfill with its lists as plain values, the secrets of its lease left out."""
    names = ("id", "integration_id", "state", "error", "started_at", "fetched_at", "posted_at",
             "posted_events")  # fmt: skip
    counts = ("kind", "is_over", "listed", "kept", "refused", "pages")
    return {
        **{name: getattr(backfill, name) for name in names},
        "lists": [
            {name: getattr(one, name) for name in counts} for one in lists_of(session, backfill.id)
        ],
    }
