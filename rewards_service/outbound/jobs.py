"""The webhooks doorbell: send what is due, beside the caller, and forget what is old."""

import time
from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit.beside import Beside
from rewards_service.kit.db import READ_ONLY, database_now, db, transaction
from rewards_service.kit.web import current_settings
from rewards_service.outbound import keeping, queries
from rewards_service.outbound.sending import Sender
from rewards_service.settings import Settings

BUDGET_SECONDS = 30.0
# Of one process for one endpoint: one that hangs takes none of those of another.
THREADS = 4
_beside: defaultdict[int, list[Beside]] = defaultdict(
    lambda: [Beside("webhooks") for _ in range(THREADS)]
)


def drain_webhooks() -> int:
    """Begin to send what is due, to each endpoint by itself: events must not wait for that.

    Safe in many processes. Returns 0 at once; an event that comes rings for itself.
    """
    engine, settings = db.engine, current_settings()
    keep(engine, settings)
    sender = Sender.of(engine, settings)
    for endpoint_id in due(engine):
        for thread in _beside[endpoint_id]:
            thread.start(partial(send, sender, endpoint_id))
    return 0


def send(sender: Sender, endpoint_id: int, budget: float = BUDGET_SECONDS) -> int:
    """Send what is due to an endpoint until the time is over. Returns how many attempts."""
    until = time.monotonic() + budget
    if endpoint_id not in due(sender.engine):
        return 0
    return sender.work(endpoint_id, lambda: time.monotonic() >= until)


def due(engine: Engine, now: datetime | None = None) -> list[int]:
    """Endpoints to send to. Looked at without SQLite's write lock: mostly there are none."""
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        return queries.due_endpoints(session, now or database_now(session))


def keep(engine: Engine, settings: Settings, now: datetime | None = None) -> int:
    """Delete some of what is older than is kept. Returns how many deliveries."""
    days = timedelta(days=settings.webhook_retention_days)
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        before = (now or database_now(session)) - days
        if not keeping.has_old(session, before):
            return 0
    with transaction(engine) as session:
        return keeping.forget(session, before, now or database_now(session))
