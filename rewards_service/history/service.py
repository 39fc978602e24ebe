"""Begin, pause and lease a backfill; note how far it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.connections.access import check_key
from rewards_service.history.kinds import LISTS
from rewards_service.history.models import (
    AT_WORK,
    DONE,
    FAILED,
    OPEN,
    PAUSED,
    POSTING,
    RUNNING,
    Backfill,
    BackfillList,
)
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import get_integration, options_of
from rewards_service.kit.db import database_now
from rewards_service.kit.errors import Conflict, NotFound

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=10)


class NotLive(Conflict):
    code = "integration_not_live"
    title = "This integration takes nothing in."


class HistoryIncomplete(Conflict):
    code = "history_incomplete"
    title = "The history of this integration has not been fetched to its end."


class LeaseLost(Exception):
    """Another process is at it, or somebody paused it: what was done here is to be rolled back."""


@dataclass(slots=True)
class Progress:
    """How many objects of a list were shown, were news, and could not be read."""

    listed: int = 0
    kept: int = 0
    refused: int = 0
    pages: int = 0


def check_live(integration: Integration) -> None:
    """Raises NotLive: what is fetched for an integration that is off or observes would be lost."""
    options = options_of(integration)
    if options.all_off or options.mode != "live":
        raise NotLive(
            "History is taken in as webhooks are: set `mode` to live, and switch on what a payment "
            "is to do. No reward is made by that."
        )


def begin(session: Session, integration_id: int, actor: str) -> Backfill:
    """The open backfill of an integration, at work again if it rested; else a new one.

    Raises NotFound, ApiKeyMissing, NotLive.
    """
    integration = get_integration(session, integration_id, lock=True)
    check_key(integration)
    check_live(integration)
    query = select(Backfill).where(
        Backfill.integration_id == integration_id, Backfill.state.in_(OPEN)
    )
    found = session.scalar(query)
    if found is not None and found.state in AT_WORK:
        _try_afresh(found)
        return found
    if found is None:
        found = Backfill(integration_id=integration_id)
        session.add(found)
        session.flush()
        session.add_all(
            BackfillList(backfill_id=found.id, kind=kind, position=position)
            for position, kind in enumerate(LISTS)
        )
    found.state = RUNNING if found.fetched_at is None else POSTING
    _try_afresh(found)
    session.flush()
    record(session, "integration.backfill_begun", ("integration", integration_id), {}, actor)
    return found


def _try_afresh(found: Backfill) -> None:
    """A person who asks for it does not wait for the next attempt."""
    found.error, found.attempts, found.next_attempt_at = None, 0, None


def pause(session: Session, integration_id: int, actor: str) -> Backfill:
    """Have the open backfill rest; nothing is forgotten. Raises NotFound."""
    found = newest(session, integration_id, lock=True)
    if found.state in AT_WORK:
        found.state, found.lease_token, found.lease_until = PAUSED, None, None
        record(session, "integration.backfill_paused", ("integration", integration_id), {}, actor)
        session.flush()
    return found


def begin_posting(session: Session, integration_id: int, actor: str) -> Backfill:
    """Have the payments of the past put on the log. Raises NotFound, NotLive, HistoryIncomplete."""
    found = check_fetched(session, integration_id, lock=True)
    _try_afresh(found)
    if found.state != POSTING:
        found.state = POSTING
        record(session, "integration.history_posted", ("integration", integration_id), {}, actor)
        session.flush()
    return found


def check_fetched(session: Session, integration_id: int, lock: bool = False) -> Backfill:
    """The newest backfill, if all its lists were read. Raises as `begin_posting` does."""
    check_live(get_integration(session, integration_id))
    found = newest(session, integration_id, lock)
    if found.fetched_at is None:
        raise HistoryIncomplete(
            "Rewards that count follow the order of payments: they are made when all payments are "
            f"known. The backfill is {found.state}; let it come to its end first."
        )
    return found


def newest(session: Session, integration_id: int, lock: bool = False) -> Backfill:
    """The backfill that was begun last. Raises NotFound."""
    get_integration(session, integration_id)
    query = select(Backfill).where(Backfill.integration_id == integration_id)
    query = query.order_by(Backfill.id.desc()).limit(1)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("Its history was never fetched: that comes first.")
    return found


def lease_next(session: Session, token: str, backfill_id: int | None = None) -> int | None:
    """Take a backfill that nobody is at and that is due; its key. The caller commits at once."""
    now = database_now(session)
    free = or_(Backfill.lease_until.is_(None), Backfill.lease_until < now)
    due = or_(Backfill.next_attempt_at.is_(None), Backfill.next_attempt_at <= now)
    query = select(Backfill).where(Backfill.state.in_(AT_WORK), free, due)
    if backfill_id is not None:
        query = query.where(Backfill.id == backfill_id)
    found = session.scalar(query.order_by(Backfill.id).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    found.lease_token, found.lease_until = token, now + LEASE
    return found.id


def hold(session: Session, backfill_id: int, token: str, **values: Any) -> None:
    """Hold on to the lease for another while; in the transaction of what was done. LeaseLost."""
    values = {"lease_until": database_now(session) + LEASE, **values}
    these = and_(
        Backfill.id == backfill_id, Backfill.lease_token == token, Backfill.state.in_(AT_WORK)
    )
    done = session.execute(update(Backfill).where(these).values(values))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost


def note(
    session: Session, backfill_id: int, done: Mapping[str, Progress], at: Mapping[str, str | None]
) -> None:
    """Keep how far lists came: what was done of each, and its next offset; None: it is over."""
    row = BackfillList
    for kind, progress in sorted(done.items()):
        values: dict[Any, Any] = {
            row.listed: row.listed + progress.listed,
            row.kept: row.kept + progress.kept,
            row.refused: row.refused + progress.refused,
            row.pages: row.pages + progress.pages,
            row.next_offset: at[kind],
            row.is_over: at[kind] is None,
        }
        these = and_(row.backfill_id == backfill_id, row.kind == kind)
        session.execute(update(row).where(these).values(values))


def let_go(session: Session, backfill_id: int, token: str, **values: Any) -> None:
    """Give the lease back, if it is still held, with what is to be noted."""
    these = and_(Backfill.id == backfill_id, Backfill.lease_token == token)
    values = {"lease_token": None, "lease_until": None, **values}
    session.execute(update(Backfill).where(these).values(values))


def fail(session: Session, backfill_id: int, token: str, error: str, passes: bool) -> None:
    """Note what went wrong: later again, or left to a person when that cannot help."""
    attempts = session.get_one(Backfill, backfill_id).attempts + 1
    gives_up = not passes or attempts >= MAX_ATTEMPTS
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    let_go(
        session,
        backfill_id,
        token,
        error=error[:2000],
        attempts=attempts,
        next_attempt_at=None if gives_up else database_now(session) + wait,
        **({"state": FAILED} if gives_up else {}),
    )


def finish_fetching(session: Session, backfill_id: int, token: str) -> None:
    now = database_now(session)
    let_go(session, backfill_id, token, state=DONE, fetched_at=now, error=None, attempts=0)
