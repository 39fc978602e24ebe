"""Events that wait until Chargebee was asked whether they are its own."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.inbox.models import (
    CONFIRMED,
    PENDING,
    REFUSED,
    WANTED,
    WEBHOOK,
    ReceivedEvent,
)
from rewards_service.kit.bulk import among, fetch_binary
from rewards_service.kit.db import columns, database_now, fetch_rows
from rewards_service.kit.errors import Conflict, NotFound

FAILED = "verification_failed"  # the outcome
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=10)
# Longer than a process asks about what it took.
LEASE = timedelta(seconds=90)
_LOADED = columns(
    ReceivedEvent, "id", "integration_id", "options_id", "event_id", "event_type", "body",
    "verification_tries",
)  # fmt: skip
_AGAIN: dict[str, Any] = {"lease_token": None, "lease_until": None, "next_attempt_at": None}


class NotRefused(Conflict):
    code = "event_not_refused"
    title = "This event was not put aside because Chargebee's copy of it differs."


class Asking(NamedTuple):
    """Events that one process asks about, in the order of the log."""

    token: str
    events: list[Any]


def unasked(session: Session, ids: Collection[int], integration_ids: Collection[int]) -> list[Any]:
    """Those of these events that a webhook brought for these integrations, with their bodies.

    Not what was asked about before, nor what came from Chargebee's API itself.
    """
    query = select(*_LOADED).where(
        among(session, ReceivedEvent.id, list(ids)),
        among(session, ReceivedEvent.integration_id, list(integration_ids)),
        ReceivedEvent.source == WEBHOOK,
        ReceivedEvent.verification.is_(None),
    )
    return fetch_binary(session, query.order_by(ReceivedEvent.id))


def want(session: Session, events: Sequence[Any]) -> None:
    """Let leased events wait until they were asked about, with those that wait for their site."""
    row = ReceivedEvent
    for integration_id in {event.integration_id for event in events}:
        keys = [event.id for event in events if event.integration_id == integration_id]
        waits = select(func.max(row.next_attempt_at)).where(
            row.verification == WANTED, row.integration_id == integration_id
        )
        values = {**_AGAIN, "verification": WANTED, "next_attempt_at": session.scalar(waits)}
        session.execute(update(row).where(among(session, row.id, keys)).values(values))


def lease_wanted(session: Session, token: str, limit: int) -> Asking:
    """Take up to `limit` events to ask about now. The caller commits at once."""
    now = database_now(session)
    query = (
        select(ReceivedEvent.id)
        .where(_due(now))
        .order_by(ReceivedEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in fetch_rows(session, query)]
    these = among(session, ReceivedEvent.id, ids)
    session.execute(
        update(ReceivedEvent).where(these).values(lease_token=token, lease_until=now + LEASE)
    )
    loaded = fetch_binary(session, select(*_LOADED).where(these).order_by(ReceivedEvent.id))
    return Asking(token, loaded)


def has_wanted(session: Session) -> bool:
    """Whether any event is to be asked about now."""
    return bool(session.scalar(select(exists().where(_due(database_now(session))))))


def count_wanted(session: Session) -> int:
    """How many events wait until they were asked about, now or later."""
    wanted = ReceivedEvent.verification == literal(WANTED, literal_execute=True)
    return session.scalars(select(func.count()).select_from(ReceivedEvent).where(wanted)).one()


def _due(now: datetime) -> ColumnElement[bool]:
    row = ReceivedEvent
    free = or_(row.lease_until.is_(None), row.lease_until < now)
    ready = or_(row.next_attempt_at.is_(None), row.next_attempt_at <= now)
    wanted = row.verification == literal(WANTED, literal_execute=True)  # as in the index
    return wanted & (row.state == PENDING) & free & ready


def settle(session: Session, token: str, event_id: int, problem: str | None) -> None:
    """Chargebee was asked: the event is its own, or is refused for this reason. Handle it now."""
    verdict = CONFIRMED if problem is None else REFUSED
    _write(session, token, [event_id], verification=verdict, verification_note=problem, attempts=0)


def ask_again_later(session: Session, token: str, event: Any, ids: Sequence[int], why: str) -> None:
    """Chargebee could not say: this event is tried again in 10 s, 20 s, 40 s ... 10 min.

    ids: the events that wait with it. None of them ever has any effect unasked.
    """
    wait = min(FIRST_WAIT * 2 ** min(event.verification_tries, 10), LONGEST_WAIT)
    until = database_now(session) + wait
    _write(session, token, ids, verification_note=why, next_attempt_at=until)
    tried = update(ReceivedEvent).where(ReceivedEvent.id == event.id)
    session.execute(tried.values(verification_tries=ReceivedEvent.verification_tries + 1))


def release(session: Session, token: str, ids: Sequence[int], unasked: bool = False) -> None:
    """Leave events to whoever comes next; with `unasked` nobody is to be asked about them."""
    _write(session, token, ids, **({"verification": None} if unasked else {}))


def _write(session: Session, token: str, ids: Sequence[int], **values: Any) -> None:
    row = ReceivedEvent
    mine = among(session, row.id, list(ids)) & (row.lease_token == token)
    session.execute(update(row).where(mine).values({**_AGAIN, **values}))


def reopen(session: Session, integration_id: int, event_ids: Sequence[str], note: str) -> None:
    """Ask once more about events that were refused for this reason."""
    row = ReceivedEvent
    session.execute(
        update(row)
        .where(
            row.integration_id == integration_id,
            row.event_id.in_(event_ids),
            row.outcome == FAILED,
            row.verification_note == note,
        )
        .values(_reopened())
    )


def ask_again(session: Session, event_key: int, actor: str) -> ReceivedEvent:
    """Have a refused event asked about once more. Raises NotFound, NotRefused."""
    event = session.get(ReceivedEvent, event_key, with_for_update=True)
    if event is None:
        raise NotFound("There is no such event.")
    if event.outcome != FAILED:
        raise NotRefused(f"It is {event.state}: only an event that ended as {FAILED} is asked for.")
    for name, value in _reopened().items():
        setattr(event, name, value)
    record(session, "event.asked_again", ("event", event_key), {}, actor)
    session.flush()
    return event


def _reopened() -> dict[str, Any]:
    return {
        **_AGAIN, "state": PENDING, "outcome": None, "error": None, "results": None,
        "finished_at": None, "verification": WANTED, "verification_note": None,
        "verification_tries": 0,
    }  # fmt: skip
