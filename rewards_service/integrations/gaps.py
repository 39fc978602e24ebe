"""What the webhook missed and the event log brought; how the reading of that log goes.

The event log lives a floor up, hence by name. An event of a type that nothing
follows from is no gap: the webhook need not send it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from rewards_service.integrations.models import EventPoll, Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base

DAY = timedelta(hours=24)
# A webhook may still be on its way: Chargebee's first repetition comes after two minutes.
GRACE = timedelta(minutes=15)
_POLL = literal("poll", literal_execute=True)  # as in the index
TEST_EVENT = "rewards_test_event"  # of our own, by way of the webhook: no sign of life of Chargebee
NEVER, WELL, FAILING, NO_KEY = "never", "well", "failing", "no_api_key"


def polling_health(session: Session, integrations: Sequence[Integration]) -> dict[int, Any]:
    """Integration -> how the reading of its log goes, and what its webhook missed in 24 h."""
    keys = [item.id for item in integrations]
    of_these = select(EventPoll).where(EventPoll.integration_id.in_(keys))
    polls = {poll.integration_id: poll for poll in session.scalars(of_these)}
    since = utc_now() - DAY
    counts = {row.integration_id: row for row in session.execute(_counts(since).where(_of(keys)))}
    silence = webhook_silence(session, keys)
    found = {}
    for item in integrations:
        missed = counts.get(item.id)
        found[item.id] = {
            "polling": _state(item, polls.get(item.id)),
            "webhook": {
                **silence[item.id],
                "missed_24h": missed.missed if missed else 0,
                "late_24h": missed.late if missed else 0,
            },
        }
    return found


def missed_since(session: Session, since: datetime) -> int:
    """Events of all sites that came by no webhook, read since then and not just now."""
    return sum(row.missed for row in session.execute(_counts(since)))


def failing_polls(session: Session) -> int:
    """Sites whose log could not be read the last time."""
    query = select(func.count()).select_from(EventPoll).join(Integration)
    fails = EventPoll.problem_code.is_not(None) & Integration.deleted_at.is_(None)
    return session.scalars(query.where(fails)).one()


def webhook_silence(session: Session, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Integration -> when its webhook last brought anything, and since when it is silent.

    `silent_since` is that time once the log brought an event after it that the webhook did not.
    """
    log, item = _log(), Integration
    own = log.integration_id == item.id
    brought = and_(own, log.source == "webhook", log.event_type != TEST_EVENT)
    newest = select(log.received_at).where(brought).order_by(log.id.desc())
    first = newest.limit(1).correlate(item).scalar_subquery()
    read = select(func.max(log.webhook_at)).where(own, log.source == _POLL)
    later = read.correlate(item).scalar_subquery()
    known = select(item.id, item.created_at, first.label("first"), later.label("later"))
    rows = session.execute(known.where(item.id.in_(keys))).all()
    last = {row.id: max((at for at in row[2:] if at is not None), default=None) for row in rows}
    silent = _silent(session, last)
    return {
        row.id: {
            "last_at": last[row.id],
            "silent_since": (last[row.id] or row.created_at) if row.id in silent else None,
        }
        for row in rows
    }


def _silent(session: Session, last: Mapping[int, datetime | None]) -> set[int]:
    """Integrations of which the log brought something after their webhook's last word."""
    log, missed = _log(), _is_missed(utc_now())
    queries = [
        select(log.integration_id)
        .where(missed, log.integration_id == key, *(() if at is None else (log.received_at > at,)))
        .limit(1)
        .subquery()
        for key, at in last.items()
    ]
    if not queries:
        return set()
    return set(session.scalars(union_all(*(select(query) for query in queries))))


def _counts(since: datetime) -> Any:
    """Keys follow the time of arrival: the log is read from its end, back to `since`."""
    log = _log()
    before = select(log.id).where(log.received_at < since).order_by(log.id.desc()).limit(1)
    missed = case((_is_missed(utc_now()), 1), else_=0)
    late = case((log.webhook_at.is_not(None), 1), else_=0)
    return (
        select(log.integration_id, func.sum(missed).label("missed"), func.sum(late).label("late"))
        .where(is_followed(), log.received_at >= since)
        .where(log.id > func.coalesce(before.scalar_subquery(), 0))
        .group_by(log.integration_id)
    )


def is_followed() -> ColumnElement[bool]:
    """Whether a reading of the log brought an event, and something may follow from it."""
    log = _log()
    return and_(log.source == _POLL, log.outcome.is_distinct_from("ignored"))


def _is_missed(now: datetime) -> ColumnElement[bool]:
    log = _log()
    return and_(is_followed(), log.webhook_at.is_(None), log.received_at <= now - GRACE)


def _of(keys: Iterable[int]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _log().integration_id.in_(list(keys))
    return found


def _state(integration: Integration, poll: EventPoll | None) -> dict[str, Any]:
    problem = None
    if poll is not None and poll.problem_code is not None:
        problem = {
            "code": poll.problem_code,
            "detail": poll.problem_detail,
            "since": poll.failing_since_at,
        }
    state = WELL if poll is not None and poll.succeeded_at is not None else NEVER
    if problem is not None:
        state = FAILING
    if integration.api_key_encrypted is None:
        state = NO_KEY
    return {
        "state": state,
        "last_at": poll and poll.succeeded_at,
        "cursor_at": poll and poll.cursor_at,
        "problem": problem,
    }


def _log() -> Any:
    return Base.metadata.tables["received_events"].c
