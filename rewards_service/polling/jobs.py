"""Read event logs: those that are due, every five minutes, and one whenever somebody asks."""

import time
from datetime import UTC, datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.connections.access import access_of
from rewards_service.integrations.service import get_integration
from rewards_service.kit.beside import Beside
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.db import READ_ONLY, db, transaction
from rewards_service.kit.errors import NotFound, RewardsError
from rewards_service.kit.http import Patience
from rewards_service.kit.web import current_settings
from rewards_service.polling import queries, service
from rewards_service.polling.reading import PollReport, poll
from rewards_service.settings import Settings

log = structlog.get_logger()

BUDGET_SECONDS = 30.0
# Well within a lease; and in five minutes it is tried again anyway.
PATIENCE = Patience(total_seconds=60.0, attempts=5)
# In a sandbox time is the simulator's: its log is read whole, not from when we were connected.
SANDBOX_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


_beside = Beside("polls")


def run_due() -> int:
    """Begin to read the logs that are due, beside the caller: events must not wait for that.

    Safe in many processes. Returns 0 at once; what is read rings for itself.
    """
    engine, settings = db.engine, current_settings()
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        is_due = queries.has_due(session)
    if is_due:
        _beside.start(lambda: run(engine, settings))
    return 0


def run(engine: Engine, settings: Settings, budget: float = BUDGET_SECONDS) -> list[PollReport]:
    """Read every log that is due until the time is over; one that fails does not stop the rest."""
    until = time.monotonic() + budget
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        waiting = queries.due(session)
    reports = []
    for integration_id in waiting:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            reports.append(read_log(engine, settings, integration_id, budget=left))
        except (service.PollRunning, NotFound) as nothing_to_do:
            log.info("poll_left_out", integration=integration_id, why=nothing_to_do.detail)
    return reports


def read_log(
    engine: Engine,
    settings: Settings,
    integration_id: int,
    *,
    since: datetime | None = None,
    budget: float | None = None,
    patience: Patience = PATIENCE,
) -> PollReport:
    """Read the log of one site now, as `poll` does, with the key of its integration.

    Raises NotFound, ApiKeyMissing, PollRunning.
    """
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        integration = get_integration(session, integration_id)
    try:
        access = access_of(settings, integration)
    except SecretUnreadable as problem:
        return _unreadable(engine, integration_id, problem)
    beginning = SANDBOX_BEGINNING if settings.chargebee_api_base else None
    with access.open(settings, patience) as site:
        return poll(engine, integration_id, site, since=since, beginning=beginning, budget=budget)


def _unreadable(engine: Engine, integration_id: int, problem: RewardsError) -> PollReport:
    with transaction(engine) as session:
        lease, held = service.begin(session, integration_id)
        service.fail(session, lease, problem)
        at = held.cursor_at or get_integration(session, integration_id).created_at
    return PollReport(integration_id, at, at, problem=problem)
