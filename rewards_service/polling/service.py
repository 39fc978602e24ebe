"""Keep readers of one event log apart, and the cursor together with the events it covers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.errors import KeyRefused, NotAllowed, SiteUnknown
from rewards_service.inbox.recording import Delivery, record_listed
from rewards_service.integrations.models import EventPoll
from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.db import database_now, insert_missing
from rewards_service.kit.errors import Conflict, RewardsError
from rewards_service.polling.queries import EVERY

# What only a person can mend is tried again now and then, or soon after the integration changed.
NEEDS_A_PERSON = {kind.code for kind in (KeyRefused, NotAllowed, SiteUnknown, SecretUnreadable)}
EVERY_WHEN_REFUSED = timedelta(hours=1)
# Longer than a call of the API with its attempts may take, and a write that waits for others:
# who still holds a lease after that is dead.
LONGEST_CALL = timedelta(seconds=90)
LONGEST_TEXT = 500


class PollRunning(Conflict):
    code = "poll_running"
    title = "The event log of this site is being read already."


class Lease(NamedTuple):
    """One process has the log of one site to itself, until it is done or the time is over."""

    integration_id: int
    token: str


class Place(NamedTuple):
    """Where a reading stands, as it is kept: see EventPoll. The last three are None at its end."""

    cursor_at: datetime | None
    first_at: datetime | None = None
    read_at: datetime | None = None
    next_offset: str | None = None


def begin(session: Session, integration_id: int) -> tuple[Lease, EventPoll]:
    """Have the reading of a site's log to oneself for a while, by the database's clock.

    Raises NotFound, PollRunning. The caller commits at once.
    """
    get_integration(session, integration_id)
    insert_missing(session, EventPoll, [{"integration_id": integration_id}])
    lease, row = Lease(integration_id, uuid4().hex), EventPoll
    now = database_now(session)
    taken = session.execute(
        update(row)
        .where(row.integration_id == integration_id)
        .where(or_(row.lease_until.is_(None), row.lease_until < now))
        .values(lease_token=lease.token, lease_until=now + LONGEST_CALL, attempted_at=utc_now())
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise PollRunning("Another process is at it: its events arrive without a second reading.")
    return lease, session.get_one(row, integration_id, populate_existing=True)


def record_page(
    session: Session, lease: Lease, deliveries: Sequence[Delivery], place: Place
) -> list[str]:
    """Record a page of the log and the place after it, or neither.

    Returns the ids of events that are new here. Raises NotFound when the integration was deleted
    meanwhile, PollRunning when the lease ran out and somebody else goes on.
    """
    integration = get_integration(session, lease.integration_id)
    _write(session, lease, lease_until=database_now(session) + LONGEST_CALL, **place._asdict())
    return record_listed(session, integration, deliveries)


def finish(session: Session, lease: Lease, complete: bool) -> None:
    """End a reading that met no problem; one that did not reach the log's end goes on at once."""
    now = utc_now()
    done = {"succeeded_at": now, "next_poll_at": now + EVERY} if complete else {}
    well = dict.fromkeys(("problem_code", "problem_detail", "failing_since_at", "next_poll_at"))
    _write(session, lease, lease_token=None, lease_until=None, **{**well, **done})


def fail(session: Session, lease: Lease, problem: RewardsError) -> bool:
    """End a reading that broke off, and keep why. Returns whether it went well until now."""
    now = utc_now()
    poll = session.get_one(EventPoll, lease.integration_id, populate_existing=True)
    was_well = poll.failing_since_at is None
    refused = problem.code in NEEDS_A_PERSON
    _write(
        session, lease, lease_token=None, lease_until=None,
        problem_code=problem.code, problem_detail=problem.detail[:LONGEST_TEXT],
        failing_since_at=poll.failing_since_at or now,
        next_poll_at=now + (EVERY_WHEN_REFUSED if refused else EVERY),
    )  # fmt: skip
    return was_well


def _write(session: Session, lease: Lease, **values: object) -> None:
    row = EventPoll
    mine = (row.integration_id == lease.integration_id) & (row.lease_token == lease.token)
    written = session.execute(update(row).where(mine).values(values))
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise PollRunning("This reading took too long: another process has taken it over.")
