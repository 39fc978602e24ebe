"""A test event of a connected site: sent from a page, and what has become of it."""

from collections.abc import Collection
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.pages import actor
from rewards_service.audit.models import AuditEntry
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.gaps import TEST_EVENT
from rewards_service.integrations.service import audit, get_integration
from rewards_service.kit import ids
from rewards_service.kit.db import db, transaction
from rewards_service.kit.web import current_session
from rewards_service.webhooks import trial
from rewards_service.webhooks.routes import reception_of


def send(integration_id: int) -> str:
    """Send a test event through the site's endpoint; its id. Raises NotFound, Conflict."""
    session, who = current_session(), actor()
    integration = get_integration(session, integration_id)
    session.expunge(integration)
    session.rollback()  # the endpoint and the workers write meanwhile
    sent = trial.send(reception_of(current_app), integration, None)
    with transaction(db.engine) as own:
        detail = {"event_id": sent.event_key, "credentials": sent.credentials}
        audit(own, "test_event_sent", integration, detail, who)
    return ids.encode("evt", sent.event_key or 0)


def shown(session: Session, sites: Collection[int], asked: str | None) -> dict[str, Any] | None:
    """The test event that is asked for, or else the newest of these sites, as templates take it."""
    return event_of(session, asked or _last_tried(session, sites))


def event_of(session: Session, text: str) -> dict[str, Any] | None:
    """A test event by its public id; None when it is none."""
    key = ids.decode("evt", text)
    event = session.get(ReceivedEvent, key) if key else None
    if event is None or event.event_type != TEST_EVENT:
        return None
    return {"id": text, "state": event.state, "outcome": event.outcome, "at": event.received_at}


def _last_tried(session: Session, sites: Collection[int]) -> str:
    """The newest test event of these sites, by the audit log; else an id that nothing has."""
    query = select(AuditEntry.detail).where(
        AuditEntry.subject_kind == "integration",
        AuditEntry.subject_id.in_(sites),
        AuditEntry.action == "integration.test_event_sent",
    )
    detail = session.scalar(query.order_by(AuditEntry.id.desc()).limit(1)) or {}
    return ids.encode("evt", detail.get("event_id") or 0)
