"""Read a site's event log from where the last reading ended, page by page, into the inbox."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from rewards_service.chargebee.errors import ChargebeeError
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.paging import Page
from rewards_service.chargebee.polling import SETTLED_AFTER, Plan, plan_poll
from rewards_service.inbox import envelope
from rewards_service.inbox.recording import Delivery
from rewards_service.integrations.models import EventPoll
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.metrics import count_polled
from rewards_service.polling import service
from rewards_service.polling.service import Lease, Place

log = structlog.get_logger()

OFFSET_REFUSED = (400, 404, 422)  # an offset that Chargebee has forgotten


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
    reading = _Reading(engine, site, lease, report, _until(budget), plan.read_at, held.cursor_at)
    try:
        if since is not None or reading.go_on(held):
            start_at = min(report.cursor_at, since or report.cursor_at)
            reading.read(plan_poll(start_at, plan.read_at))
    except service.PollRunning:
        raise
    except RewardsError as problem:
        report.problem = problem
    except BaseException:
        with suppress(SQLAlchemyError):  # otherwise others wait until the lease is over
            reading.end()
        raise
    reading.end()
    return report


def shown(report: PollReport) -> dict[str, Any]:
    """A report as people and programs see it: how many events were new, not which."""
    members = {part.name: getattr(report, part.name) for part in fields(report)}
    return {**members, "new": len(report.new)}


def _until(budget: float | None) -> Callable[[], bool]:
    """Says whether the time is over."""
    if budget is None:
        return lambda: False
    deadline = time.monotonic() + budget
    return lambda: time.monotonic() >= deadline


@dataclass(slots=True)
class _Reading:
    engine: Engine
    site: Chargebee
    lease: Lease
    report: PollReport
    is_over: Callable[[], bool]
    now: datetime
    kept_cursor_at: datetime | None  # None: no event was ever read

    def go_on(self, held: EventPoll) -> bool:
        """Go on with a reading that broke off; says whether the log is to be read once more.

        That is when it was begun so long ago that what showed late, behind its place, is due.
        """
        if held.next_offset is None or held.first_at is None or held.read_at is None:
            return True
        self.report.first_at = held.first_at
        try:
            self.read(Plan(held.first_at, held.read_at, may_miss=False), held.next_offset)
        except ChargebeeError as problem:
            if problem.http_status not in OFFSET_REFUSED:
                raise
            log.info("offset_forgotten", integration=held.integration_id, code=problem.code)
            return True
        return self.report.complete and self.now - held.read_at > SETTLED_AFTER

    def read(self, plan: Plan, offset: str | None = None) -> None:
        """Read to the end of the log, or until the time is over."""
        found = self.site.events.pages(plan.where, oldest_first="occurred_at", offset=offset)
        for page in found:
            self._keep(page, plan)
            self.report.complete = page.next_offset is None
            if self.is_over():
                return

    def _keep(self, page: Page, plan: Plan) -> None:
        report = self.report
        deliveries = self._deliveries(page)
        times = [item.occurred_at for item in deliveries if item.occurred_at is not None]
        if times:
            self.kept_cursor_at = plan.cursor_after(report.cursor_at, max(times))
        place = Place(self.kept_cursor_at)
        if page.next_offset is not None:
            place = Place(self.kept_cursor_at, plan.first_at, plan.read_at, page.next_offset)
        with transaction(self.engine) as session:
            new = service.record_page(session, self.lease, deliveries, place)
        report.cursor_at = self.kept_cursor_at or report.cursor_at
        report.read += len(deliveries)
        report.new += new
        count_polled(len(new), len(deliveries) - len(new))
        if new:
            bells.ring("events")

    def _deliveries(self, page: Page) -> list[Delivery]:
        found: list[Delivery] = []
        for row in page.rows:
            problem = envelope.not_an_event(row)
            if problem is None:
                found.append(envelope.listed(dict(row)))
            else:
                self.report.unreadable += 1
                log.warning("listed_event_unreadable", problem=problem)
        return found

    def end(self) -> None:
        """Give the log free, with what came of it."""
        problem = self.report.problem
        with transaction(self.engine) as session:
            if problem is None:
                service.finish(session, self.lease, self.report.complete)
                return
            was_well = service.fail(session, self.lease, problem)
        if was_well:  # one line for all tries until it goes well again
            key = self.report.integration_id
            log.warning("poll_failed", integration=key, code=problem.code, why=problem.detail)
