"""Mend what a comparison found, where that is safe: by events only, never in the books."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.polling import SURELY_KEPT
from rewards_service.inbox.recording import record_listed
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.polling.reading import poll
from rewards_service.polling.service import PollRunning
from rewards_service.reconciliation import queries, service
from rewards_service.reconciliation.fetching import fetched
from rewards_service.reconciliation.models import Reconciliation, ReconciliationRow
from rewards_service.reconciliation.reasons import FETCH, POLL, REASONS, REPLAY
from rewards_service.webhooks.workbench import replay_event

log = structlog.get_logger()

SHORTLY = timedelta(hours=1)  # before an object, what it refers to may have come
MOST_FETCHED = 1_000
KEEP_EVERY = 10  # objects; then the comparison is held for a while longer
POLL_SECONDS = 120.0  # what the log holds beyond that, the workers go on to read


def repair(
    engine: Engine, site: Chargebee, run: Reconciliation, now: datetime | None = None
) -> dict[str, int]:
    """Bring what a finished comparison misses to the event log; repair -> how many events.

    The log is read again from the first object that is missing; what it does not tell of is asked
    for by its id; events that gave up are tried again. The workers handle what came.
    """
    with Session(queries.reading(engine), expire_on_commit=False) as session:
        query = select(ReconciliationRow).where(ReconciliationRow.reconciliation_id == run.id)
        rows = session.scalars(query.order_by(ReconciliationRow.id)).all()
    by_repair = {name: [r for r in rows if REASONS[r.reason].repair == name]
                 for name in (POLL, FETCH, REPLAY)}  # fmt: skip
    new, untold = _poll(engine, site, run.integration_id, by_repair[POLL], now or utc_now())
    done = {
        POLL: new,
        FETCH: _fetch(engine, site, run, [*untold, *by_repair[FETCH]]),
        REPLAY: _replay(engine, by_repair[REPLAY], run.asked_by),
    }
    return {name: count for name, count in done.items() if count}


def _poll(
    engine: Engine,
    site: Chargebee,
    integration_id: int,
    rows: Sequence[ReconciliationRow],
    now: datetime,
) -> tuple[int, list[ReconciliationRow]]:
    """Read the log; how many events were new, and the objects that none of them tells of."""
    if not rows:
        return 0, []
    first_at = min(min(row.dated_at, row.changed_at or row.dated_at) for row in rows)
    since = max(first_at - SHORTLY, now - SURELY_KEPT)
    try:
        report = poll(engine, integration_id, site, now, since=since, budget=POLL_SECONDS)
    except PollRunning:
        return 0, []  # whoever is at it brings them
    if report.problem is not None:
        raise report.problem
    if not report.complete:
        return len(report.new), []
    with Session(queries.reading(engine)) as session:
        told = queries.told_by(session, integration_id, report.new)
    return len(report.new), [row for row in rows if (row.section, row.external_id) not in told]


def _fetch(
    engine: Engine, site: Chargebee, run: Reconciliation, rows: Sequence[ReconciliationRow]
) -> int:
    new = 0
    for number, row in enumerate(rows[:MOST_FETCHED]):
        if number % KEEP_EVERY == 0:
            with transaction(engine) as session:
                service.keep(session, run)
        new += record(engine, site, run.integration_id, row.section, row.external_id)
    return new


def record(
    engine: Engine, site: Chargebee, integration_id: int, kind: str, external_id: str
) -> int:
    """Ask for an object and put it on the event log; how many events that made. Commits."""
    deliveries = fetched(site, kind, external_id)
    if not deliveries:
        return 0
    with transaction(engine) as session:
        new = record_listed(session, get_integration(session, integration_id), deliveries)
    if new:
        bells.ring("events")
    return len(new)


def _replay(engine: Engine, rows: Sequence[ReconciliationRow], actor: str) -> int:
    events = sorted({row.received_event_id for row in rows if row.received_event_id})
    for event in events:
        with transaction(engine) as session:
            replay_event(session, event, actor=actor, reason="reconciliation")
    return len(events)
