"""`rewards scheduler`: rings for whatever is due, as long as anything is."""

import logging
from collections.abc import Callable, Mapping

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.cli.databases import refuse_if_behind
from rewards_service.kit import log
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.presence import Presence
from rewards_service.kit.queue import (
    BACKFILLS,
    EVENTS,
    EXPORTS,
    HOUSEKEEPING,
    PAYOUTS,
    POLLS,
    RECONCILIATIONS,
    REWARDS,
    TIMERS,
    VERIFICATIONS,
    WEBHOOKS,
    Doorbell,
)
from rewards_service.kit.stop import Stop
from rewards_service.settings import load_settings

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 2.0

Check = Callable[[Session], bool]


class Scheduler:
    """Asks the database every two seconds which queues have work, and rings those.

    One is enough; more do no harm, because a queue with a waiting job is not rung again.

    checks: queue -> does anything of it wait and is due now?
    announce: called after each look that worked.
    """

    def __init__(
        self, engine: Engine, doorbell: Doorbell, checks: Mapping[str, Check],
        announce: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._engine = engine.execution_options(**{READ_ONLY: True})
        self._doorbell = doorbell
        self._checks = dict(checks)
        self._failing = False
        self._announce = announce

    def run(self, stop: Stop, interval: float = INTERVAL_SECONDS) -> None:
        """Go on until a stop is asked for, then return at once."""
        while not stop.requested:
            self.look()
            stop.wait(interval)

    def look(self) -> None:
        """One round; an unreachable database is logged once per outage, asked again next time."""
        try:
            with Session(self._engine) as session:
                due = [queue for queue, check in self._checks.items() if check(session)]
        except Exception:
            if not self._failing:
                self._failing = True
                logger.exception("The database cannot be asked what is due; it is asked again")
            return
        if self._failing:
            self._failing = False
            logger.info("The database answers again")
        self._announce()
        for queue in due:
            self._doorbell.ring(queue)


@click.command()
def scheduler() -> None:
    """Ring the workers for everything that is due, until stopped.

    One process is enough, more do no harm. It holds nothing: stop and start it at any time.
    """
    settings = load_settings()
    log.configure(settings.log_format)
    refuse_if_behind(settings)
    from rewards_service.app import create_app
    from rewards_service.exports import service as exports
    from rewards_service.history import queries as history
    from rewards_service.inbox import queries as inbox
    from rewards_service.inbox import verification
    from rewards_service.outbound import queries as outbound
    from rewards_service.payouts import schedules
    from rewards_service.polling import queries as polling
    from rewards_service.reconciliation import jobs as reconciliations
    from rewards_service.retention import jobs as retention
    from rewards_service.rewards import timers
    from rewards_service.transactions import queries as transactions

    stop = Stop()
    stop.on_signals()
    checks = {
        EVENTS: inbox.has_due,
        REWARDS: transactions.has_due,
        TIMERS: timers.has_due,
        PAYOUTS: schedules.has_due,
        BACKFILLS: history.has_due,
        POLLS: polling.has_due,
        VERIFICATIONS: verification.has_wanted,
        RECONCILIATIONS: reconciliations.has_due,
        EXPORTS: exports.has_due,
        HOUSEKEEPING: retention.has_due,
        WEBHOOKS: outbound.has_due,
    }
    with create_app(settings).app_context():
        presence = Presence(settings.redis_url)
        Scheduler(db.engine, Doorbell(settings.redis_url), checks, presence.announce).run(stop)
        presence.leave()
