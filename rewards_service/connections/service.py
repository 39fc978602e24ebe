"""What our database knows of a site's webhook, and notes of what was done to it in Chargebee."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.connections.access import Access, access_of
from rewards_service.connections.endpoint import Wanted
from rewards_service.integrations.handover import settle_password, stage_password
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import Credentials, audit, get_integration
from rewards_service.kit import ids
from rewards_service.kit.db import Base
from rewards_service.kit.errors import Conflict
from rewards_service.settings import Settings

_NEWEST = 100


class Overtaken(Conflict):
    title = "The webhook's password was changed by two at the same time. Do it again."


class Target(NamedTuple):
    """A connected site as plain values, for work outside of any transaction."""

    integration_id: int
    access: Access
    wanted: Wanted
    endpoint_id: str | None  # Chargebee's id of the webhook that is looked after
    has_untold: bool  # Chargebee is not known to have the new password
    heard_at: datetime | None  # when the newest events that were delivered had happened

    @property
    def public_id(self) -> str:
        return ids.encode("int", self.integration_id)


class Told(NamedTuple):
    """What Chargebee was told: a password by its digest, and how long the one before may last."""

    digest: bytes
    grace_hours: int


def read_target(session: Session, settings: Settings, integration_id: int) -> Target:
    """Raises NotFound, ApiKeyMissing, SecretUnreadable."""
    integration = get_integration(session, integration_id)
    return Target(
        integration.id,
        access_of(settings, integration),
        wanted_of(settings, integration),
        integration.webhook_endpoint_id,
        integration.untold_password_encrypted is not None,
        _heard_at(session, integration.id),
    )


def wanted_of(settings: Settings, integration: Integration) -> Wanted:
    """The webhook that an integration should have."""
    url = f"{settings.base_url}/webhooks/chargebee/{integration.endpoint_key}"
    return Wanted(url)


def _heard_at(session: Session, integration_id: int) -> datetime | None:
    log = Base.metadata.tables["received_events"].c  # the event log lives one floor up
    newest = (
        select(log.occurred_at)
        .where(log.integration_id == integration_id, log.source == "webhook")
        .order_by(log.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    found: datetime | None = session.scalar(select(func.max(newest.c.occurred_at)))
    return found


def stage(
    session: Session, settings: Settings, integration_id: int, grace_hours: int, actor: str
) -> Credentials:
    """The credentials to tell Chargebee; see `stage_password`. Raises NotFound."""
    integration = get_integration(session, integration_id, lock=True)
    return stage_password(session, settings, integration, grace_hours, actor)


def note_mended(
    session: Session,
    integration_id: int,
    endpoint_id: str,
    done: list[str],
    *,
    told: Told | None,
    actor: str,
) -> None:
    """This webhook is looked after from now on. told: the new password that it got, if any.

    Raises Overtaken when that one was replaced meanwhile: it is not certain what Chargebee has.
    """
    integration = get_integration(session, integration_id, lock=True)
    if integration.webhook_endpoint_id != endpoint_id:
        integration.webhook_endpoint_id = endpoint_id
        integration.version += 1
    if told is not None:
        if told.digest != integration.credentials_digest:
            raise Overtaken
        settle_password(integration, told.grace_hours)
    detail: dict[str, Any] = {"endpoint_id": endpoint_id, "done": done}
    audit(session, "connected", integration, detail, actor)


def note_removed(session: Session, integration_id: int, removed: list[str], actor: str) -> None:
    """There is no webhook any more that is looked after."""
    integration = get_integration(session, integration_id, lock=True)
    integration.webhook_endpoint_id = integration.untold_password_encrypted = None
    integration.version += 1
    audit(session, "disconnected", integration, {"endpoint_ids": removed}, actor)
