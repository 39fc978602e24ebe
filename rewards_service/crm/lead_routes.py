"""/api/v1/leads."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.crm import listing, service
from rewards_service.crm.customer_routes import known_customers
from rewards_service.crm.models import Lead
from rewards_service.crm.schemas import LeadPageSchema, LeadQuerySchema, LeadSchema
from rewards_service.kit.emails import strict_key
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import own_partner
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("leads", "People that partners brought")

READ, WRITE = "crm:read", "crm:write"


PLAIN = (
    "id", "email", "first_name", "last_name", "company", "status", "partner_id", "registered_at",
    "external_id", "converted_at", "created_at", "updated_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/leads", scope=READ, query=LeadQuerySchema, answer=LeadPageSchema, for_partners=True
)
def list_leads(query: dict[str, Any]) -> Any:
    """List leads; `email` finds every spelling of an address."""
    wanted = dict(query)
    if "email" in query:
        wanted["email_key"] = strict_key(query["email"])
    page = listing.list_leads(current_session(), paging(query), wanted, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation("POST", "/leads", scope=WRITE, body=LeadSchema, answer=LeadSchema, status=201)
def create_lead(body: dict[str, Any]) -> Any:
    """Register a lead."""
    return _shown([service.create_lead(current_session(), body, current_actor())])[0]


@blueprint.operation("GET", "/leads/<lead_id>", scope=READ, answer=LeadSchema, for_partners=True)
def get_lead(lead_id: str) -> Any:
    """Get one lead."""
    key = path_key("led", lead_id)
    return _shown([service.get_lead(current_session(), key, own=own_partner())])[0]


@blueprint.operation(
    "PATCH", "/leads/<lead_id>", scope=WRITE, body=LeadSchema(partial=True), answer=LeadSchema
)
def change_lead(body: dict[str, Any], lead_id: str) -> Any:
    """Change what is given. A converted lead keeps its status, e-mail and partner."""
    lead = service.change_lead(current_session(), path_key("led", lead_id), body, current_actor())
    return _shown([lead])[0]


def _shown(leads: Sequence[Lead]) -> list[dict[str, Any]]:
    customers = known_customers([lead.customer_id for lead in leads])
    return [
        {
            **{name: getattr(lead, name) for name in PLAIN},
            "customer_id": customers.get(lead.customer_id),
        }
        for lead in leads
    ]
