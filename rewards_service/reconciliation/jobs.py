"""The job that compares sites, by night and on demand, and fetches what events wait for."""

import time
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit.beside import Beside
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db, transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.http_errors import HttpError
from rewards_service.kit.web import current_settings
from rewards_service.reconciliation import parents, queries, service
from rewards_service.reconciliation.comparing import Comparison
from rewards_service.reconciliation.explaining import circumstances, explain
from rewards_service.reconciliation.models import Reconciliation
from rewards_service.reconciliation.repairing import repair
from rewards_service.reconciliation.sites import Sites

log = structlog.get_logger()

BUDGET_SECONDS = 30.0
_PAUSE = timedelta(minutes=5)  # after a site that could not be asked


_beside = Beside("reconciliations")


def drain_reconciliations() -> int:
    """Go on with what is due, beside the caller: events must not wait for that.

    Safe in many processes. Returns 0 at once; what is fetched rings for itself.
    """
    engine, sites = db.engine, Sites(current_settings())
    with Session(queries.reading(engine)) as session:
        is_due = has_due(session)
    if is_due:
        _beside.start(lambda: drain(engine, sites))
    return 0


def has_due(session: Session, now: datetime | None = None) -> bool:
    return service.has_due(session, now) or bool(parents.due(session, now))


def drain(
    engine: Engine, sites: Sites, budget: float = BUDGET_SECONDS, now: datetime | None = None
) -> int:
    """Fetch what events wait for, then compare; returns how many steps of either were made."""
    with Session(queries.reading(engine)) as session:
        waiting = parents.due(session, now)
    until = time.monotonic() + budget
    done = 0
    for integration_id in waiting:
        done += _fetch_parents(engine, sites, integration_id, until, now)
    with transaction(engine) as session:
        service.ask_nightly(session, now)
    while time.monotonic() < until:
        with transaction(engine) as session:
            run = service.take(session)
        if run is None:
            break
        with suppress(service.TakenOver):
            go_on(engine, sites, run, until, now)
        done += 1
    return done


def _fetch_parents(
    engine: Engine, sites: Sites, integration_id: int, until: float, now: datetime | None
) -> int:
    made, goes_on = 0, True
    try:
        with sites.open(engine, integration_id) as site:
            while goes_on and time.monotonic() < until:
                fetched, goes_on = parents.look(engine, site, integration_id, now)
                made += fetched
    except RewardsError as problem:
        log.warning("parents_not_fetched", integration=integration_id, problem=problem.detail)
        with transaction(engine) as session:
            parents.wait(session, integration_id, (now or utc_now()) + _PAUSE)
    return made


def go_on(
    engine: Engine,
    sites: Sites,
    run: Reconciliation,
    until: float,
    now: datetime | None = None,
) -> bool:
    """Compare until all is or the time is over, then explain and repair; whether it has ended.

    Raises TakenOver.
    """
    try:
        with sites.open(engine, run.integration_id) as site:
            given = circumstances(engine, run.integration_id, now or utc_now(), sites.is_sandbox)
            if not Comparison(engine, site, run, given.past_until).go_on(until):
                with transaction(engine) as session:
                    service.give_back(session, run)
                return False
            explain(engine, run, given)
            repaired = repair(engine, site, run, now) if run.repair else None
    except service.TakenOver:
        raise
    except RewardsError as problem:
        passes = isinstance(problem, HttpError) and problem.passes
        with transaction(engine) as session:
            service.fail(session, run, problem.detail, passes)
        return True
    with transaction(engine) as session:
        service.finish(session, run, repaired)
    _tell(run)
    return True


def _tell(run: Reconciliation) -> None:
    found = {state: count for state, count in run.counts.items() if count}
    log.info("reconciled", integration=run.integration_id, run=run.id, **found)
