"""What waits in the database right now."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.inbox import verification
from rewards_service.inbox.models import DEAD, NEEDS_A_PERSON, PENDING, QUARANTINED, ReceivedEvent
from rewards_service.integrations import gaps
from rewards_service.kit.clock import utc_now
from rewards_service.kit.metrics import Backlog
from rewards_service.outbound.queries import read_backlog as read_outbound
from rewards_service.transactions.models import RewardDue


def read_backlog(session: Session) -> Backlog:
    """Rows that wait or need a person, and the age of the oldest waiting event in seconds."""
    count, oldest = session.execute(
        select(func.count(), func.min(ReceivedEvent.received_at)).where(
            ReceivedEvent.state == PENDING
        )
    ).one()
    stuck = dict(
        session.execute(
            select(ReceivedEvent.state, func.count())
            .where(NEEDS_A_PERSON)
            .group_by(ReceivedEvent.state)
        ).all()
    )
    due = session.scalars(select(func.count()).select_from(RewardDue)).one()
    outbound = read_outbound(session)
    return Backlog(
        count, _age(oldest), stuck.get(QUARANTINED, 0), stuck.get(DEAD, 0), due,
        verification.count_wanted(session), gaps.missed_since(session, utc_now() - gaps.DAY),
        gaps.failing_polls(session), outbound.pending, _age(outbound.oldest_at),
        outbound.failing, outbound.disabled,
    )  # fmt: skip


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (utc_now() - since).total_seconds())
