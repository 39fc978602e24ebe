"""Throw away what has been kept long enough: bodies of events, sessions of people.

Of an event everything else stays, also the hash of its body: it is known as a duplicate for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, exists, func, select, update
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import UserSession
from rewards_service.inbox.models import DONE, PURGED, OtherDelivery, ReceivedEvent
from rewards_service.kit.bulk import among
from rewards_service.kit.db import transaction
from rewards_service.retention.models import RetentionMark

BODIES = "event_bodies"
SESSIONS_KEPT = timedelta(days=90)  # since they began; they end after half a day
CHUNK = 1_000  # events a transaction: others want to write as well


@dataclass(slots=True)
class Purged:
    """How many bodies of events went, those of differing repetitions among them, and sessions;
    `kept`: old events that are not done and so keep theirs."""

    bodies: int = 0
    sessions: int = 0
    kept: int = 0


def is_due(session: Session, now: datetime) -> bool:
    """Whether the last run is a day ago."""
    recent = (RetentionMark.name == BODIES) & (RetentionMark.ran_at > now - timedelta(days=1))
    return not session.scalar(select(exists().where(recent)))


def purge(engine: Engine, days: int, now: datetime, dry_run: bool = False) -> Purged:
    """Purge bodies of done events received more than `days` days ago (0: none), and old sessions.

    What waits, is quarantined or dead keeps its body until somebody has decided. In transactions
    of CHUNK events: stopped and begun again, it goes on.
    """
    found = Purged()
    with Session(engine) as session:
        after = session.scalar(select(RetentionMark.through_id).where(RetentionMark.name == BODIES))
        last = _last_before(session, now - timedelta(days=days)) if days else None
    after, waiting = after or 0, None
    while last is not None and after < last:
        with transaction(engine) as session:
            page = _page(session, after, last, now - timedelta(days=days))
            if not page:
                break
            after = page[-1][0]
            waits = [key for key, state, _ in page if state != DONE]
            waiting = waiting or next(iter(waits), None)
            found.kept += len(waits)
            keys = [key for key, state, _ in page if state == DONE]
            found.bodies += _empty(session, keys, dry_run)
    with transaction(engine) as session:
        found.sessions = _forget_sessions(session, now, dry_run)
        if not dry_run:
            through = after if waiting is None else waiting - 1
            session.merge(RetentionMark(name=BODIES, through_id=through, ran_at=now))
    return found


def _last_before(session: Session, before: datetime) -> int | None:
    event = ReceivedEvent
    return session.scalar(
        select(event.id)
        .where(event.received_at < before)
        .order_by(event.received_at.desc(), event.id.desc())
        .limit(1)
    )


def _page(
    session: Session, after: int, last: int, before: datetime
) -> Sequence[tuple[int, str, int]]:
    event = ReceivedEvent
    query = (
        select(event.id, event.state, func.length(event.body))
        .where(event.id > after, event.id <= last, event.received_at < before)
        .order_by(event.id)
        .limit(CHUNK)
    )
    return [(key, state, size) for key, state, size in session.execute(query)]


def _empty(session: Session, keys: list[int], dry_run: bool) -> int:
    emptied = 0
    for model, column in (
        (ReceivedEvent, ReceivedEvent.id),
        (OtherDelivery, OtherDelivery.received_event_id),
    ):
        these = among(session, column, keys) & (func.length(model.body) > 0)
        if dry_run:
            emptied += session.scalar(select(func.count()).select_from(model).where(these)) or 0
            continue
        done = session.execute(
            update(model).where(these).values(body=PURGED),
            execution_options={"synchronize_session": False},
        )
        emptied += int(done.rowcount)  # type: ignore[attr-defined]
    return emptied


def _forget_sessions(session: Session, now: datetime, dry_run: bool) -> int:
    old = UserSession.created_at < now - SESSIONS_KEPT
    if dry_run:
        return session.scalar(select(func.count()).select_from(UserSession).where(old)) or 0
    done = session.execute(delete(UserSession).where(old))
    return int(done.rowcount)  # type: ignore[attr-defined]
