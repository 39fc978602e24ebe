"""Keep the endpoints of our users: made, changed, switched off and on, their secrets renewed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.service import MACHINE, record
from rewards_service.kit import crypto, ids
from rewards_service.kit.bulk import insert_rows
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import table_of
from rewards_service.kit.errors import Conflict
from rewards_service.outbound import queries
from rewards_service.outbound.announcing import JOIN_LANE, announce, ring_when_committed
from rewards_service.outbound.event_types import TEST
from rewards_service.outbound.models import (
    FAILING,
    GONE,
    PENDING,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)
from rewards_service.outbound.secrets import new_secret

log = structlog.get_logger()

MOST_ENDPOINTS = 50  # each is asked about, and written to, in every transaction that tells


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"
    title = "There are too many webhook endpoints."


class EndpointDisabled(Conflict):
    code = "webhook_endpoint_disabled"
    title = "The webhook endpoint is switched off."


def create_endpoint(
    session: Session, keys: Sequence[str], wanted: Mapping[str, Any], actor: str
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is sealed with `keys` and shown this once.

    wanted: `url` (checked by the caller), `events`, `description`, `enabled`. Raises
    TooManyEndpoints.
    """
    if queries.count_endpoints(session) >= MOST_ENDPOINTS:
        raise TooManyEndpoints(f"There are {MOST_ENDPOINTS} already: delete one that is not used.")
    secret = new_secret()
    endpoint = WebhookEndpoint(**wanted, secret_encrypted=crypto.encrypt(keys, secret))
    session.add(endpoint)
    session.flush()
    _record(session, "created", endpoint, {"after": _state(endpoint)}, actor)
    return endpoint, secret


def change_endpoint(
    session: Session, endpoint_id: int, wanted: Mapping[str, Any], actor: str
) -> WebhookEndpoint:
    """Change what is given. Switched on, or at another address, it is sent to at once again.

    Raises NotFound.
    """
    endpoint = queries.get_endpoint(session, endpoint_id, lock=True)
    before, was_on, old_url = _state(endpoint), endpoint.enabled, endpoint.url
    members = [name for name in wanted if getattr(endpoint, name) != wanted[name]]
    if not members:
        return endpoint
    for name in members:
        setattr(endpoint, name, wanted[name])
    if endpoint.enabled and (was_on, old_url) != (True, endpoint.url):
        endpoint.disabled_reason = endpoint.disabled_at = None
        endpoint.failing_since_at = endpoint.paused_until_at = None
        endpoint.unanswered = 0
        _serve_at_once(session, endpoint_id)
    endpoint.updated_at = utc_now()
    detail = {"members": sorted(members), "before": before, "after": _state(endpoint)}
    _record(session, "changed", endpoint, detail, actor)
    session.flush()
    return endpoint


def delete_endpoint(session: Session, endpoint_id: int, actor: str) -> None:
    """Nothing is told to it any more; what waited for it goes, too. Raises NotFound."""
    endpoint = queries.get_endpoint(session, endpoint_id, lock=True)
    endpoint.enabled, endpoint.deleted_at = False, utc_now()
    endpoint.previous_secret_encrypted = None
    _record(session, "deleted", endpoint, {"before": _state(endpoint)}, actor)


def rotate_secret(
    session: Session, keys: Sequence[str], endpoint_id: int, grace_hours: int, actor: str
) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once; the one until now signs beside it for `grace_hours`.

    Raises NotFound.
    """
    endpoint = queries.get_endpoint(session, endpoint_id, lock=True)
    now, secret = utc_now(), new_secret()
    endpoint.previous_secret_encrypted = endpoint.secret_encrypted if grace_hours else None
    endpoint.previous_expires_at = now + timedelta(hours=grace_hours) if grace_hours else None
    endpoint.secret_encrypted = crypto.encrypt(keys, secret)
    endpoint.updated_at = now
    session.flush()
    _record(session, "secret_rotated", endpoint, {"grace_hours": grace_hours}, actor)
    return endpoint, secret


def send_test(session: Session, endpoint_id: int, actor: str) -> None:
    """Send an event that means nothing, whatever the endpoint asked for, along its own lane.

    Raises NotFound, EndpointDisabled.
    """
    endpoint = _enabled(session, endpoint_id)
    data = {"webhook_endpoint_id": ids.encode("whe", endpoint_id)}
    announce(session, TEST, ("webhook_endpoint", endpoint_id), data, only=endpoint_id)
    _record(session, "tested", endpoint, {}, actor)


def resend(session: Session, delivery_id: int, actor: str) -> WebhookDelivery:
    """Send an event again as soon as possible, with the id and body that it had.

    One that waits for its next try is tried at once; what stands before it in its lane goes first.
    Raises NotFound, EndpointDisabled.
    """
    found = queries.get_delivery(session, delivery_id)
    endpoint = _enabled(session, found.endpoint_id)
    lane = {
        "endpoint_id": found.endpoint_id, "subject_kind": found.subject_kind,
        "subject_id": found.subject_id, "next_attempt_at": utc_now(),
    }  # fmt: skip
    # First the lane, as whoever sends does.
    at_once = f"{JOIN_LANE}, next_attempt_at = excluded.next_attempt_at"
    insert_rows(session, table_of(WebhookLane), [lane], at_once)
    delivery = queries.get_delivery(session, delivery_id, lock=True)
    delivery.state, delivery.finished_at, delivery.tries = PENDING, None, 0
    session.flush()
    detail = {"delivery_id": ids.encode("whd", delivery_id), "message_id": delivery.message_id}
    _record(session, "resent", endpoint, detail, actor)
    ring_when_committed(session)
    return delivery


def disable_gone(session: Session, endpoint_id: int, now: datetime) -> bool:
    """Switch an endpoint off that says it is gone; whether that was still to be done."""
    endpoint = _lock_enabled(session, endpoint_id)
    return endpoint is not None and _disable(session, endpoint, GONE, now)


def disable_failing(session: Session, endpoint_id: int, now: datetime, days: int) -> bool:
    """Switch an endpoint off that has done nothing but fail for so many days; whether it was."""
    endpoint = _lock_enabled(session, endpoint_id)
    if endpoint is None or endpoint.failing_since_at is None:
        return False
    if endpoint.failing_since_at > now - timedelta(days=days):
        return False
    return _disable(session, endpoint, FAILING, now)


def _disable(session: Session, endpoint: WebhookEndpoint, reason: str, now: datetime) -> bool:
    endpoint.enabled = False
    endpoint.disabled_reason, endpoint.disabled_at = reason, now
    session.flush()
    _record(session, "disabled", endpoint, {"after": {"enabled": False}}, MACHINE, reason)
    log.warning("webhook_endpoint_disabled", endpoint=endpoint.id, why=reason)
    return True


def _lock_enabled(session: Session, endpoint_id: int) -> WebhookEndpoint | None:
    query = (
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.enabled.is_(True))
        .with_for_update()
    )
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def _enabled(session: Session, endpoint_id: int) -> WebhookEndpoint:
    endpoint = queries.get_endpoint(session, endpoint_id)
    if not endpoint.enabled:
        raise EndpointDisabled(
            "Nothing is sent to an endpoint that is switched off. Switch it on (enabled) first."
        )
    return endpoint


def _serve_at_once(session: Session, endpoint_id: int) -> None:
    """What waits, waits no longer; in the order in which others lock lanes."""
    own = WebhookLane
    query = select(own).where(own.endpoint_id == endpoint_id)
    query = query.order_by(own.subject_kind, own.subject_id).with_for_update()
    now = utc_now()
    for lane in session.scalars(query):
        lane.next_attempt_at = now
    ring_when_committed(session)


def _state(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """For the audit log: the rest of an address may hold a secret of its owner."""
    host = urlsplit(endpoint.url).netloc
    return {"host": host, "events": endpoint.events, "enabled": endpoint.enabled}


def _record(
    session: Session,
    action: str,
    endpoint: WebhookEndpoint,
    detail: dict[str, Any],
    actor: str,
    reason: str | None = None,
) -> None:
    subject = ("webhook_endpoint", endpoint.id)
    record(session, f"webhook_endpoint.{action}", subject, detail, actor, reason)
