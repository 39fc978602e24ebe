"""Read a site's event log from where the last reading ended, page by page, into the inbox."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.paging import Page
from rewards_service.chargebee.polling import Plan, plan_poll
from rewards_service.inbox import envelope
from rewards_service.inbox.recording import Delivery
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.metrics import count_polled
from rewards_service.polling import service
from rewards_service.polling.service import Lease

log = structlog.get_logger()


@dataclass(slots=True)
class PollReport:
    """What one reading came to.

    `first_at`: where in the log it began. `cursor_at`: up to here all is held now. `new`: ids of
    events that no webhook had brought, in their order. `complete`: the end of the log was reached.
    `may_miss`: it began before what Chargebee surely keeps. `problem`: why it broke off; what was
    read until then is kept, and the next reading goes on from there.
    """

    integration_id: int
    first_at: datetime
    cursor_at: datetime
    may_miss: bool = False
    read: int = 0
    unreadable: int = 0
    new: list[str] = field(default_factory=list)
    complete: bool = False
    problem: RewardsError | None = None


def poll(
    engine: Engine,
    integration_id: int,
    site: Chargebee,
    now: datetime | None = None,
    *,
    since: datetime | None = None,
    beginning: datetime | None = None,
    budget: float | None = None,
) -> PollReport:
    """Bring every event that the log shows and the inbox does not hold. One at a time for a site.

    since: begin there at the latest, whatever was read before. beginning: of a log of which
    nothing was read yet; left out: when the integration was made. budget: seconds after which no
    further page is begun; `complete` then says False. Nothing is held while Chargebee is asked.
    Raises NotFound, PollRunning; whatever Chargebee refuses is the report's `problem`.
    """
    with transaction(engine) as session:
        lease, held = service.begin(session, integration_id)
        made_at = beginning or get_integration(session, integration_id).created_at
    cursor_at = held.cursor_at or made_at
    plan = plan_poll(min(cursor_at, since or cursor_at), now or utc_now())
    report = PollReport(integration_id, plan.first_at, cursor_at)
    report.may_miss = plan.may_miss and (held.cursor_at or since) is not None
    try:
        _read(engine, site, plan, lease, report, _until(budget))
    except service.PollRunning:
        raise
    except RewardsError as problem:
        report.problem = problem
    except BaseException:
        with suppress(SQLAlchemyError):  # otherwise others wait until the lease is over
            _end(engine, lease, report)
        raise
    _end(engine, lease, report)
    return report


def _until(budget: float | None) -> Callable[[], bool]:
    """Says whether the time is over."""
    if budget is None:
        return lambda: False
    deadline = time.monotonic() + budget
    return lambda: time.monotonic() >= deadline


def _read(
    engine: Engine,
    site: Chargebee,
    plan: Plan,
    lease: Lease,
    report: PollReport,
    is_over: Callable[[], bool],
) -> None:
    """Read to the end of the log, or until the time is over."""
    for page in site.events.pages(plan.where, oldest_first="occurred_at"):
        deliveries = _deliveries(page, report)
        times = [item.occurred_at for item in deliveries if item.occurred_at is not None]
        moved_to = plan.cursor_after(report.cursor_at, max(times)) if times else None
        with transaction(engine) as session:
            new = service.record_page(session, lease, deliveries, moved_to)
        report.cursor_at = moved_to or report.cursor_at
        report.read += len(deliveries)
        report.new += new
        count_polled(len(new), len(deliveries) - len(new))
        if new:
            bells.ring("events")
        report.complete = page.next_offset is None
        if is_over():
            return


def _deliveries(page: Page, report: PollReport) -> list[Delivery]:
    found: list[Delivery] = []
    for row in page.rows:
        problem = envelope.not_an_event(row)
        if problem is None:
            found.append(envelope.listed(dict(row)))
        else:
            report.unreadable += 1
            log.warning("listed_event_unreadable", problem=problem)
    return found


def _end(engine: Engine, lease: Lease, report: PollReport) -> None:
    problem = report.problem
    with transaction(engine) as session:
        if problem is None:
            service.finish(session, lease, report.complete)
            return
        was_well = service.fail(session, lease, problem)
    if was_well:  # one line for all tries until it goes well again
        log.warning(
            "poll_failed", integration=report.integration_id, code=problem.code, why=problem.detail
        )
