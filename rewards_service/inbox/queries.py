"""Look into the event log."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, and_, exists, or_, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import PENDING, WANTED, ReceivedEvent, WaitingEvent
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, database_now

# Not those that Chargebee is to be asked about first.
IS_ASKED = ReceivedEvent.verification.is_distinct_from(WANTED)


def has_due(session: Session) -> bool:
    """Whether some event can be handled now, by the database's clock."""
    now = database_now(session)
    free = or_(ReceivedEvent.lease_until.is_(None), ReceivedEvent.lease_until < now)
    ready = or_(ReceivedEvent.next_attempt_at.is_(None), ReceivedEvent.next_attempt_at <= now)
    due = and_(ReceivedEvent.state == PENDING, IS_ASKED, free, ready)
    return bool(session.scalar(select(exists().where(due))))


def pointing_to(
    session: Session, integration_id: int, kind: str, external_ids: Iterable[str]
) -> list[Row[*tuple[Any, ...]]]:
    """Events that take money back (key, Chargebee id) and mean one of these objects."""
    rows: list[Row[*tuple[Any, ...]]] = []
    for some in chunks(sorted(set(external_ids))):
        query = select(WaitingEvent.received_event_id, WaitingEvent.external_id).where(
            WaitingEvent.integration_id == integration_id,
            WaitingEvent.kind == kind,
            among(session, WaitingEvent.external_id, some),
        )
        rows.extend(session.execute(query).all())
    return rows
