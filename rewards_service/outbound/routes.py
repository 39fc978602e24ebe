"""/api/v1/webhook-endpoints, and what is delivered to them."""

from collections.abc import Sequence
from typing import Any

import orjson

from rewards_service.accounts.auth import current_actor
from rewards_service.audit.subjects import public_id
from rewards_service.kit.clock import utc_now
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.web import Resource, current_session, current_settings, path_key
from rewards_service.outbound import places, queries, service
from rewards_service.outbound.event_types import TEST
from rewards_service.outbound.models import (
    FAILING,
    GONE,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from rewards_service.outbound.schemas import (
    AllDeliveriesQuerySchema,
    DeliveryPageSchema,
    DeliveryQuerySchema,
    DeliverySchema,
    NewWebhookEndpointSchema,
    OneDeliverySchema,
    QueuedEventSchema,
    SecretRotationSchema,
    WebhookEndpointPageSchema,
    WebhookEndpointSchema,
)

blueprint = Resource("webhook-endpoints", "Addresses that are told of what happens")

READ, WRITE = "webhooks:read", "webhooks:write"
MANY, ONE = "/webhook-endpoints", "/webhook-endpoints/<endpoint_id>"
DELIVERIES = "/webhook-endpoints/deliveries"
PLAIN = ("id", "url", "events", "description", "enabled", "disabled_reason", "disabled_at",
         "created_at", "updated_at")  # fmt: skip
ATTEMPT = ("number", "at", "duration_ms", "status", "error", "detail", "excerpt")


@blueprint.operation("GET", MANY, scope=READ, query=ListQuery, answer=WebhookEndpointPageSchema)
def list_webhook_endpoints(query: dict[str, Any]) -> Any:
    """List the addresses that are told of events."""
    page = queries.list_endpoints(current_session(), paging(query))
    return page_answer(query, page, show_endpoints([row[0] for row in page.rows]))


@blueprint.operation(
    "POST", MANY, scope=WRITE, body=WebhookEndpointSchema, answer=NewWebhookEndpointSchema,
    status=201,
)  # fmt: skip
def create_webhook_endpoint(body: dict[str, Any]) -> Any:
    """Have an address told of events; `secret` in the answer is shown this once."""
    body["url"] = places.check(current_settings(), body["url"])  # before anything is locked
    keys = current_settings().encryption_keys
    endpoint, secret = service.create_endpoint(current_session(), keys, body, current_actor())
    return {**show_endpoints([endpoint])[0], "secret": secret}


@blueprint.operation("GET", ONE, scope=READ, answer=WebhookEndpointSchema)
def get_webhook_endpoint(endpoint_id: str) -> Any:
    """Get one endpoint and how its deliveries go."""
    return show_endpoints([queries.get_endpoint(current_session(), path_key("whe", endpoint_id))])[
        0
    ]


@blueprint.operation(
    "PATCH", ONE, scope=WRITE, body=WebhookEndpointSchema(partial=True),
    answer=WebhookEndpointSchema,
)  # fmt: skip
def change_webhook_endpoint(body: dict[str, Any], endpoint_id: str) -> Any:
    """Change what is given. Switching it on again resumes where it was switched off."""
    key = path_key("whe", endpoint_id)
    if "url" in body:
        body["url"] = places.check(current_settings(), body["url"])
    endpoint = service.change_endpoint(current_session(), key, body, current_actor())
    return show_endpoints([endpoint])[0]


@blueprint.operation("DELETE", ONE, scope=WRITE, status=204)
def delete_webhook_endpoint(endpoint_id: str) -> Any:
    """Tell it nothing any more. What waits for it, and its log, go with it."""
    service.delete_endpoint(current_session(), path_key("whe", endpoint_id), current_actor())


@blueprint.operation(
    "POST", f"{ONE}/rotate-secret", scope=WRITE, body=SecretRotationSchema,
    answer=NewWebhookEndpointSchema,
)  # fmt: skip
def rotate_webhook_secret(body: dict[str, Any], endpoint_id: str) -> Any:
    """Make a new secret, shown this once; both sign until the grace time is over."""
    keys, key = current_settings().encryption_keys, path_key("whe", endpoint_id)
    endpoint, secret = service.rotate_secret(
        current_session(), keys, key, body["grace_hours"], current_actor()
    )
    return {**show_endpoints([endpoint])[0], "secret": secret}


@blueprint.operation("POST", f"{ONE}/test", scope=WRITE, answer=QueuedEventSchema, status=202)
def test_webhook_endpoint(endpoint_id: str) -> Any:
    """Send it an event that means nothing; see its deliveries for what came of it."""
    service.send_test(current_session(), path_key("whe", endpoint_id), current_actor())
    return {"event_type": TEST}


@blueprint.operation(
    "GET", f"{ONE}/deliveries", scope=READ, query=DeliveryQuerySchema, answer=DeliveryPageSchema
)
def list_deliveries_of_endpoint(query: dict[str, Any], endpoint_id: str) -> Any:
    """List what was and is to be delivered to an endpoint, with every attempt."""
    key = path_key("whe", endpoint_id)
    queries.get_endpoint(current_session(), key)
    return list_deliveries({**query, "endpoint_id": key})


@blueprint.operation(
    "GET", DELIVERIES, scope=READ, query=AllDeliveriesQuerySchema, answer=DeliveryPageSchema
)
def list_deliveries(query: dict[str, Any]) -> Any:
    """List what was and is to be delivered to all endpoints, with every attempt."""
    page = queries.list_deliveries(current_session(), paging(query), query)
    return page_answer(query, page, show_deliveries([row[0] for row in page.rows]))


@blueprint.operation("GET", f"{DELIVERIES}/<delivery_id>", scope=READ, answer=OneDeliverySchema)
def get_delivery(delivery_id: str) -> Any:
    """Get one delivery with its body."""
    found = queries.get_delivery(current_session(), path_key("whd", delivery_id))
    return {**show_deliveries([found])[0], "body": orjson.loads(found.body)}


@blueprint.operation(
    "POST", f"{DELIVERIES}/<delivery_id>/resend", scope=WRITE, answer=DeliverySchema, status=202
)
def resend_delivery(delivery_id: str) -> Any:
    """Send an event again, with the same id and body, whatever came of it before."""
    key = path_key("whd", delivery_id)
    return show_deliveries([service.resend(current_session(), key, current_actor())])[0]


@blueprint.operation(
    "POST", "/deliveries/<delivery_id>/resend", scope=WRITE, answer=DeliverySchema, status=202
)
def resend_delivery_by_its_id(delivery_id: str) -> Any:
    """The same as below /webhook-endpoints/deliveries."""
    return resend_delivery(delivery_id)


def show_endpoints(endpoints: Sequence[WebhookEndpoint]) -> list[dict[str, Any]]:
    """Endpoints as WebhookEndpointSchema gives them out."""
    waiting = queries.waiting(current_session(), [one.id for one in endpoints])
    now = utc_now()
    shown = []
    for one in endpoints:
        pending, oldest_at = waiting.get(one.id, (0, None))
        until = one.previous_expires_at
        health = {
            "pending": pending, "oldest_pending_at": oldest_at,
            "last_success_at": one.last_success_at, "last_failure_at": one.last_failure_at,
            "failing_since": one.failing_since_at,
            "paused_until": _future(one.paused_until_at, now),
        }  # fmt: skip
        shown.append(
            {
                **{name: getattr(one, name) for name in PLAIN},
                "previous_secret_expires_at": _future(until, now),
                "health": health,
                "warnings": _warnings(one),
            }
        )
    return shown


def _future(at: Any, now: Any) -> Any:
    return at if at is not None and at > now else None


def _warnings(endpoint: WebhookEndpoint) -> list[dict[str, str]]:
    days = current_settings().webhook_disable_after_days
    if endpoint.disabled_reason is None and endpoint.failing_since_at is None:
        return []
    detail = {
        GONE: "It answered 410 Gone, so it was switched off. Switch it on (enabled) to resume.",
        FAILING: f"Every attempt of {days} days failed, so it was switched off. Put it right, then "
        "switch it on (enabled): what waits is sent, events of the time in between are not.",
        None: "Every attempt failed since the time named as failing since. See the deliveries for "
        f"why. After {days} days of that it is switched off.",
    }[endpoint.disabled_reason]
    return [{"code": endpoint.disabled_reason or "not_delivered", "detail": detail}]


def show_deliveries(deliveries: Sequence[WebhookDelivery]) -> list[dict[str, Any]]:
    """Deliveries as DeliverySchema gives them out."""
    session = current_session()
    attempts = queries.attempts_of(session, [one.id for one in deliveries])
    next_at = queries.next_attempts(session, deliveries)
    return [
        {
            "id": one.id,
            "webhook_endpoint_id": one.endpoint_id,
            "message_id": one.message_id,
            "event_type": one.event_type,
            "subject": public_id(one.subject_kind, one.subject_id),
            "state": one.state,
            "attempts": one.attempts,
            "next_attempt_at": next_at.get(one.id),
            "created_at": one.created_at,
            "finished_at": one.finished_at,
            "log": [_attempt(attempt) for attempt in attempts[one.id]],
        }
        for one in deliveries
    ]


def _attempt(attempt: WebhookAttempt) -> dict[str, Any]:
    return {name: getattr(attempt, name) for name in ATTEMPT}
