"""Comparisons on demand and by night: asked for, taken by one worker at a time, ended, shown."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.connections.access import check_key
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import YEAR_2000, YEAR_2100, from_epoch, instant, utc_now
from rewards_service.kit.db import database_now
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.kit.refusals import invalid_member
from rewards_service.reconciliation.models import (
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    Reconciliation,
    ReconciliationRow,
)
from rewards_service.reconciliation.reasons import STATES
from rewards_service.reconciliation.sides import SECTIONS

NIGHTLY = "nightly"
NIGHTLY_DAYS = 35  # a month, and what of it settles late
NIGHTLY_HOUR = 2  # UTC
LEASE = timedelta(minutes=5)  # longer than one request may take with all its attempts
MAX_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=30)
ROWS_SHOWN = 1_000


class TakenOver(Conflict):
    code = "reconciliation_taken_over"
    title = "Another process goes on with this reconciliation."


def ask(
    session: Session,
    integration_id: int,
    actor: str,
    *,
    from_on: date | None = None,
    to_on: date | None = None,
    repair: bool = False,
) -> Reconciliation:
    """Have a site compared: objects dated from `from_on` to `to_on`, days in UTC, both included.

    Left out: from the beginning, to the end. Raises NotFound, ApiKeyMissing, Unprocessable for a
    period that ends before it begins.
    """
    integration = get_integration(session, integration_id)
    check_key(integration)
    if from_on is not None and to_on is not None and to_on < from_on:
        raise invalid_member("to", "The period ends before it begins.")
    after = None if to_on is None else to_on + timedelta(days=1)
    from_at = instant(from_on, "UTC") or from_epoch(YEAR_2000)
    run = Reconciliation(
        integration_id=integration_id, from_at=from_at,
        before_at=instant(after, "UTC") or from_epoch(YEAR_2100), repair=repair, asked_by=actor,
        section=SECTIONS[0], position_at=from_at, counts=dict.fromkeys(STATES, 0), notes={},
        sums=[],
    )  # fmt: skip
    session.add(run)
    session.flush()
    detail = {"from_at": run.from_at.isoformat(), "before_at": run.before_at.isoformat(),
              "repair": repair}  # fmt: skip
    record(session, "integration.reconcile", ("integration", integration_id), detail, actor)
    return run


def ask_nightly(session: Session, now: datetime | None = None) -> int:
    """Ask for the comparisons of this night that nobody has asked for yet; how many."""
    now = now or utc_now()
    wanted = session.scalars(_without_nightly(now)).all()
    for integration_id in wanted:
        from_on = now.date() - timedelta(days=NIGHTLY_DAYS)
        ask(session, integration_id, NIGHTLY, from_on=from_on).asked_at = now
    return len(wanted)


def _without_nightly(now: datetime) -> Any:
    night_at = now.replace(hour=NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
    if now < night_at:
        night_at -= timedelta(days=1)
    asked = exists().where(
        Reconciliation.integration_id == Integration.id,
        Reconciliation.asked_by == NIGHTLY,
        Reconciliation.asked_at >= night_at,
    )
    return select(Integration.id).where(
        Integration.deleted_at.is_(None),
        Integration.api_key_encrypted.is_not(None),
        Integration.mode != "off",
        Integration.created_at < night_at,
        ~asked,
    )


def has_due(session: Session, now: datetime | None = None) -> bool:
    """Whether some comparison can be taken now, or is to be asked for this night."""
    open_ones = session.scalar(select(exists().where(_free(database_now(session)))))
    return bool(open_ones) or session.scalar(_without_nightly(now or utc_now())) is not None


def _free(now: datetime) -> Any:
    run = Reconciliation
    return and_(
        run.state.in_((WAITING, RUNNING)),
        or_(run.lease_until.is_(None), run.lease_until < now),
        or_(run.next_attempt_at.is_(None), run.next_attempt_at <= now),
    )


def take(session: Session, run_id: int | None = None) -> Reconciliation | None:
    """Take the oldest free comparison, or that one; None when none is free. Commit at once."""
    now = database_now(session)
    query = select(Reconciliation).where(_free(now)).order_by(Reconciliation.id).limit(1)
    if run_id is not None:
        query = query.where(Reconciliation.id == run_id)
    run = session.scalar(query.with_for_update(skip_locked=True))
    if run is not None:
        run.state, run.lease_token, run.lease_until = RUNNING, uuid4().hex, now + LEASE
    return run


def keep(session: Session, run: Reconciliation) -> None:
    """Write where a comparison stands, and hold it for a while longer. Raises TakenOver."""
    names = ("section", "position_at", "counts", "notes", "sums", "lookups")
    values = {name: getattr(run, name) for name in names}
    values["lease_until"] = database_now(session) + LEASE
    _write(session, run, values)


def give_back(session: Session, run: Reconciliation, **changed: Any) -> None:
    """Let go of a comparison that goes on later, or ends with `changed`."""
    values = {"lease_token": None, "lease_until": None, "attempts": 0, "error": None,
              "next_attempt_at": None, **changed}  # fmt: skip
    _write(session, run, values)


def _write(session: Session, run: Reconciliation, values: Mapping[str, Any]) -> None:
    row = Reconciliation
    mine = (row.id == run.id) & (row.lease_token == run.lease_token)
    written = session.execute(update(row).where(mine).values(values))
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise TakenOver("It took too long: another process goes on with it.")


def finish(session: Session, run: Reconciliation, repaired: Mapping[str, int] | None) -> None:
    give_back(session, run, state=DONE, finished_at=utc_now(), repaired=repaired)


def fail(session: Session, run: Reconciliation, error: str, passes: bool) -> None:
    """Note a failed try. One that may pass is tried again, 30 s, 60 s ... later, 8 times."""
    attempts = run.attempts + 1
    if passes and attempts < MAX_ATTEMPTS:
        wait = database_now(session) + FIRST_WAIT * 2 ** (attempts - 1)
        give_back(session, run, attempts=attempts, error=error, next_attempt_at=wait)
    else:
        give_back(session, run, state=FAILED, finished_at=utc_now(), error=error)


def get_run(session: Session, run_id: int) -> Reconciliation:
    """Raises NotFound."""
    found = session.get(Reconciliation, run_id)
    if found is None:
        raise NotFound("There is no such reconciliation.")
    return found


def list_runs(session: Session, paging: Paging, integration_id: int | None) -> Page:
    query = select(Reconciliation)
    if integration_id is not None:
        query = query.where(Reconciliation.integration_id == integration_id)
    return fetch(session, query, Reconciliation.id, paging)


def list_rows(session: Session, run_id: int, paging: Paging) -> Page:
    """The differences that a comparison found."""
    query = select(ReconciliationRow).where(ReconciliationRow.reconciliation_id == run_id)
    return fetch(session, query, ReconciliationRow.id, paging)
