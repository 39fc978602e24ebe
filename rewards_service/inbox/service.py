"""Claim events under a lease, finish or fail them. The database is the record of everything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.inbox.models import (
    DEAD,
    DONE,
    PENDING,
    QUARANTINED,
    ReceivedEvent,
    WaitingEvent,
)
from rewards_service.inbox.queries import IS_ASKED
from rewards_service.kit.bulk import among, fetch_binary
from rewards_service.kit.db import (
    columns,
    database_now,
    fetch_rows,
    insert_missing,
    is_postgresql,
    update_many,
)

MAX_ATTEMPTS = 8
LEASE = timedelta(seconds=20)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=10)
TAKEN_OVER = (100, 10)  # at once, of a batch whose worker was killed: the first time, the second

_LOADED = columns(
    ReceivedEvent, "id", "integration_id", "options_id", "event_id", "event_type", "occurred_at",
    "received_at", "body", "verification", "verification_note",
)  # fmt: skip
_WITHOUT_BODY = [column for column in _LOADED if column.name != "body"]


class Leased(NamedTuple):
    """Events a worker may handle until the lease ends. `alone`: handle one at a time."""

    token: str
    ids: list[int]
    alone: bool


def lease_suspect(session: Session, token: str) -> Leased:
    """Take what a lease ran out on, or one event that failed before. The caller commits at once.

    Each try is counted. Whoever was killed left a batch, of which most did no harm: it is taken
    over in groups, and once more in small ones. After that an event is taken alone, so that a
    poison one can neither hold up nor kill off the others.
    """
    now = database_now(session)
    tries, ids = _fewest_tries(session, _expired(now)), list[int]()
    if tries < len(TAKEN_OVER):
        left_over = and_(_expired(now), ReceivedEvent.attempts == tries)
        ids = _lock_ids(session, left_over, TAKEN_OVER[tries])
    ids = ids or _lock_ids(session, _suspect(now), 1)
    _mark(session, ids, token, now, counted=True)
    return Leased(token, ids, alone=len(ids) <= 1)


def lease_fresh(session: Session, token: str, limit: int) -> Leased:
    """Take up to `limit` events that nobody has tried yet. The caller commits at once."""
    now = database_now(session)
    fresh = and_(ReceivedEvent.lease_until.is_(None), ReceivedEvent.next_attempt_at.is_(None))
    ids = _lock_ids(session, fresh, limit)
    _mark(session, ids, token, now, counted=False)
    return Leased(token, ids, alone=False)


def _expired(now: datetime) -> Any:
    return and_(ReceivedEvent.lease_until < now, ReceivedEvent.next_attempt_at.is_(None))


def _suspect(now: datetime) -> Any:
    waited = and_(
        ReceivedEvent.next_attempt_at <= now,
        or_(ReceivedEvent.lease_until.is_(None), ReceivedEvent.lease_until < now),
    )
    return or_(_expired(now), waited)


def _fewest_tries(session: Session, condition: Any) -> int:
    tries = func.coalesce(func.min(ReceivedEvent.attempts), MAX_ATTEMPTS)
    query = select(tries).where(ReceivedEvent.state == PENDING, IS_ASKED, condition)
    return session.execute(query).scalar_one()


def _lock_ids(session: Session, condition: Any, limit: int) -> list[int]:
    query = (
        select(ReceivedEvent.id)
        .where(ReceivedEvent.state == PENDING, IS_ASKED, condition)
        .order_by(ReceivedEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [row.id for row in fetch_rows(session, query)]


def _mark(session: Session, ids: Sequence[int], token: str, now: datetime, counted: bool) -> None:
    if not ids:
        return
    values: dict[str, Any] = {"lease_token": token, "lease_until": now + LEASE}
    if counted:
        values["attempts"] = ReceivedEvent.attempts + 1
    session.execute(
        update(ReceivedEvent).where(among(session, ReceivedEvent.id, ids)).values(values)
    )


def give_up_exhausted(session: Session) -> int:
    """End events that took a worker down with them too often: dead, for a person to look at."""
    now = database_now(session)
    result = session.execute(
        update(ReceivedEvent)
        .where(
            ReceivedEvent.state == PENDING,
            IS_ASKED,
            ReceivedEvent.attempts >= MAX_ATTEMPTS,
            or_(ReceivedEvent.lease_until.is_(None), ReceivedEvent.lease_until < now),
        )
        .values(state=DEAD, finished_at=now, lease_token=None, lease_until=None)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


class LeaseLost(Exception):
    """Another worker has taken the events over; what was done here must be rolled back."""


@dataclass(slots=True)
class Ending:
    """How one event ended."""

    id: int
    outcome: str
    quarantined: bool = False
    error: str | None = None
    results: dict[str, Any] = field(default_factory=dict)


def load(session: Session, leased: Leased, with_bodies: bool = True) -> list[Any]:
    """The leased events with their bodies, in the order of the log, locked until commit."""
    query = (
        select(*(_LOADED if with_bodies else _WITHOUT_BODY))
        .where(
            among(session, ReceivedEvent.id, leased.ids),
            ReceivedEvent.lease_token == leased.token,
            ReceivedEvent.state == PENDING,
        )
        .order_by(ReceivedEvent.id)
        .with_for_update()
    )
    rows = fetch_binary(session, query)
    if len(rows) != len(leased.ids):
        raise LeaseLost
    return rows


def finish(session: Session, endings: Iterable[Ending], at: datetime) -> None:
    """End events for good, each with its outcome."""
    rows = [
        {
            "id": ending.id,
            "state": QUARANTINED if ending.quarantined else DONE,
            "outcome": ending.outcome,
            "error": ending.error,
            "results": ending.results or None,
            "finished_at": at,
            "lease_token": None,
            "lease_until": None,
            "next_attempt_at": None,
        }
        for ending in endings
    ]
    update_many(session, ReceivedEvent, rows)


def change_outcomes(session: Session, endings: Iterable[Ending]) -> None:
    """Correct how done events ended, after something they waited for came (M15-M17)."""
    rows = [
        {"id": ending.id, "outcome": ending.outcome, "results": ending.results or None}
        for ending in endings
    ]
    update_many(session, ReceivedEvent, rows)


def fail(session: Session, event_id: int, error: str) -> None:
    """Note a failed try of one event: again after 10 s, 20 s, 40 s ... 10 min; dead after 8."""
    event = session.get(ReceivedEvent, event_id, with_for_update=is_postgresql(session))
    if event is None or event.state != PENDING:
        return
    now = database_now(session)
    event.error = error[:2000]
    event.lease_token = None
    event.lease_until = None
    if event.attempts >= MAX_ATTEMPTS:
        event.state = DEAD
        event.finished_at = now
    else:
        wait = FIRST_WAIT * 2 ** max(event.attempts - 1, 0)
        event.next_attempt_at = now + min(wait, LONGEST_WAIT)


def release(session: Session, leased: Leased) -> None:
    """Give leased events back as suspects, to be tried one at a time from now on."""
    now = database_now(session)
    session.execute(
        update(ReceivedEvent)
        .where(
            among(session, ReceivedEvent.id, leased.ids), ReceivedEvent.lease_token == leased.token
        )
        .values(lease_token=None, lease_until=None, next_attempt_at=now)
    )


def put_back(session: Session, ids: Sequence[int]) -> None:
    """Give leased events back as they were: fresh, to be taken before later ones."""
    if ids:
        session.execute(
            update(ReceivedEvent)
            .where(among(session, ReceivedEvent.id, ids))
            .values(lease_token=None, lease_until=None)
        )


def load_again(session: Session, event_id: int) -> Any | None:
    """An event as `load` gives it, whatever its state, locked until commit; None: not there."""
    query = select(*_LOADED).where(ReceivedEvent.id == event_id).with_for_update()
    return next(iter(fetch_binary(session, query)), None)


def point(session: Session, rows: Iterable[tuple[int, int, str, str]]) -> None:
    """Keep which Chargebee object events mean: (event key, integration key, kind, id)."""
    insert_missing(
        session,
        WaitingEvent,
        [
            {"received_event_id": event, "integration_id": site, "kind": kind, "external_id": name}
            for event, site, kind, name in rows
        ],
    )
