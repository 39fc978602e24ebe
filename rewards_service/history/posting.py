"""Put the payments of the past on the event log, for the workers to handle as any others."""

import time
from collections.abc import Iterator

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.history import past, service, telling
from rewards_service.history.models import DONE, Backfill
from rewards_service.history.past import Told
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import READ_ONLY, database_now, insert_missing, transaction


def go_on(engine: Engine, backfill: Backfill, token: str, until: float) -> None:
    """Put events on the log until all are there or `until` of the monotonic clock. LeaseLost.

    Who goes on after an interruption begins with the first that is missing. Events are stamped
    with the options in force now (DOMAIN M13).
    """
    for some in to_tell(engine, backfill.integration_id):
        with transaction(engine) as session:
            service.hold(
                session, backfill.id, token, posted_events=Backfill.posted_events + len(some)
            )
            integration = get_integration(session, backfill.integration_id)
            service.check_live(integration)
            put_on_log(session, (integration.id, integration.options_id or 0), some)
            crash_point("backfill.posted")
        crash_point("backfill.posts_committed")
        bells.ring("events")
        if time.monotonic() >= until:
            with transaction(engine) as session:
                service.let_go(session, backfill.id, token)
            return
    with transaction(engine) as session:
        service.let_go(
            session, backfill.id, token, state=DONE, posted_at=database_now(session), error=None
        )


def to_tell(engine: Engine, integration_id: int) -> Iterator[list[Told]]:
    """What is to be told of, as of now, whatever is written meanwhile."""
    reading = engine.execution_options(**{READ_ONLY: True})
    with reading.connect() as connection:
        yield from past.in_order(connection, integration_id)


def put_on_log(session: Session, site: tuple[int, int], told: list[Told]) -> list[int]:
    """Record events of the past as pending; their keys. site = (integration, options in force)."""
    rows = telling.event_rows(session, site, told)
    insert_missing(session, ReceivedEvent, rows)
    return [row["id"] for row in rows]
