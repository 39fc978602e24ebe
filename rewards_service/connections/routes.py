"""What of /api/v1/integrations reaches out to Chargebee."""

from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.connections.schemas import (
    ConnectionSchema,
    NewIntegrationSchema,
    RotationSchema,
)
from rewards_service.connections.upkeep import Upkeep
from rewards_service.integrations import service
from rewards_service.integrations.handover import keep_untold
from rewards_service.integrations.routes import ONE, READ, WRITE, shown
from rewards_service.kit.db import db
from rewards_service.kit.refusals import invalid_member
from rewards_service.kit.web import Resource, current_session, current_settings, path_key

blueprint = Resource("connections", "The webhooks of connected sites")


@blueprint.operation(
    "POST", "/integrations", scope=WRITE, body=NewIntegrationSchema, answer=NewIntegrationSchema,
    status=201,
)  # fmt: skip
def create_integration(body: dict[str, Any]) -> Any:
    """Connect a site; `webhook_password` is shown this once.

    With `connect` the webhook is made in Chargebee at once, and `connection` says how that went:
    the integration is there either way.
    """
    connect = body.pop("connect")
    if connect and not body.get("api_key"):
        raise invalid_member("api_key", "To connect takes an API key of the site.")
    session, settings = current_session(), current_settings()
    integration, credentials = service.create_integration(session, settings, body, current_actor())
    if not connect:
        return {**shown([integration])[0], "webhook_password": credentials.password}
    keep_untold(settings, integration, credentials)
    key = integration.id
    session.commit()  # nothing may be open while Chargebee is asked
    report = _upkeep().try_repair(key)
    answer = shown([service.get_integration(session, key)])[0]
    return {**answer, "webhook_password": credentials.password, "connection": report.shown()}


@blueprint.operation(
    "POST", f"{ONE}/rotate-secret", scope=WRITE, body=RotationSchema, answer=NewIntegrationSchema
)
def rotate_secret(body: dict[str, Any], integration_id: str) -> Any:
    """Make a new webhook password, shown this once; the old one stays good for a while.

    Where the service looks after the webhook, Chargebee is told the new one.
    """
    key, grace_hours = path_key("int", integration_id), body["grace_hours"]
    session = current_session()
    credentials = _upkeep().rotate(session, key, grace_hours)
    integration = service.get_integration(session, key)
    password = None if credentials is None else credentials.password
    return {**shown([integration])[0], "webhook_password": password}


@blueprint.operation("GET", f"{ONE}/webhook", scope=READ, answer=ConnectionSchema)
def examine_webhook(integration_id: str) -> Any:
    """Ask Chargebee how the site's webhook stands: what is wrong with it, and what to do."""
    return _upkeep().examine(path_key("int", integration_id)).shown()


@blueprint.operation("POST", f"{ONE}/connect", scope=WRITE, answer=ConnectionSchema)
def connect_webhook(integration_id: str) -> Any:
    """Make the webhook in Chargebee, or put right what is wrong with it. Repeating does no harm."""
    return _upkeep().repair(path_key("int", integration_id))[0].shown()


@blueprint.operation("DELETE", f"{ONE}/webhook", scope=WRITE, status=204)
def remove_webhook(integration_id: str) -> Any:
    """Delete the webhook in Chargebee: no events come any more. The integration stays."""
    _upkeep().remove(path_key("int", integration_id))


def _upkeep() -> Upkeep:
    return Upkeep(current_settings(), db.engine, current_actor())
