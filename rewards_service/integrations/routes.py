"""/api/v1/integrations."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.integrations import queries, service
from rewards_service.integrations.models import Integration
from rewards_service.integrations.schemas import (
    IntegrationPageSchema,
    IntegrationSchema,
)
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.web import Resource, current_session, current_settings, path_key

blueprint = Resource("integrations", "Connected Chargebee sites")

READ, WRITE = "integrations:read", "integrations:write"
ONE = "/integrations/<integration_id>"
SWITCHES = ("convert_lead", "associate_deal", "create_transaction", "hierarchy", "conflict")
PLAIN = ("id", "kind", "site", "name", "mode", "webhook_username", "created_at", "updated_at",
         "webhook_endpoint_id", "requests_per_minute")  # fmt: skip


@blueprint.operation(
    "GET", "/integrations", scope=READ, query=ListQuery, answer=IntegrationPageSchema
)
def list_integrations(query: dict[str, Any]) -> Any:
    """List the connected sites."""
    page = queries.list_integrations(current_session(), paging(query))
    return page_answer(query, page, shown([row[0] for row in page.rows]))


@blueprint.operation("GET", ONE, scope=READ, answer=IntegrationSchema)
def get_integration(integration_id: str) -> Any:
    """Get one connected site."""
    return shown([service.get_integration(current_session(), path_key("int", integration_id))])[0]


@blueprint.operation(
    "PATCH", ONE, scope=WRITE, body=IntegrationSchema(partial=True, exclude=("kind",)),
    answer=IntegrationSchema,
)  # fmt: skip
def change_integration(body: dict[str, Any], integration_id: str) -> Any:
    """Change what is given; options left out stay as they are."""
    integration = service.change_integration(
        current_session(), current_settings(), path_key("int", integration_id), body,
        current_actor(),
    )  # fmt: skip
    return shown([integration])[0]


@blueprint.operation("DELETE", ONE, scope=WRITE, status=204)
def delete_integration(integration_id: str) -> Any:
    """Disconnect a site. Its events, customers and rewards stay."""
    service.delete_integration(current_session(), path_key("int", integration_id), current_actor())


def shown(integrations: Sequence[Integration]) -> list[dict[str, Any]]:
    """Integrations as the interface shows them; within a request."""
    base_url = current_settings().base_url
    health = queries.health(current_session(), integrations)
    return [
        {
            **{name: getattr(item, name) for name in PLAIN},
            "verification": {"mode": item.verify, "above_minor": item.verify_above_minor},
            "options": {name: getattr(item, name) for name in SWITCHES},
            "has_api_key": item.api_key_encrypted is not None,
            "webhook_url": f"{base_url}/webhooks/chargebee/{item.endpoint_key}",
            "health": health[item.id],
            "warnings": _warnings(item),
        }
        for item in integrations
    ]


def _warnings(integration: Integration) -> list[dict[str, str]]:
    found = []
    if integration.api_v1_seen_at is not None:
        found.append(
            {
                "code": "api_v1",
                "detail": "This webhook sends API version 1, which is quarantined. In Chargebee, "
                "set the webhook's API version to V2.",
            }
        )
    if integration.other_site_seen is not None:
        found.append(
            {
                "code": "other_site",
                "detail": f"Events name the site {integration.other_site_seen}, not "
                f"{integration.site}. Check that this webhook belongs to the right site.",
            }
        )
    if integration.untold_password_encrypted is not None:
        found.append(
            {
                "code": "password_untold",
                "detail": "A new webhook password was made, and Chargebee is not known to have it. "
                "Connect again.",
            }
        )
    return found
