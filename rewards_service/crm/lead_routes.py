"""/api/v1/leads."""

from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.crm import listing, service
from rewards_service.crm.schemas import LeadPageSchema, LeadQuerySchema, LeadSchema
from rewards_service.kit.emails import strict_key
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("leads", "People that partners brought")

READ, WRITE = "crm:read", "crm:write"


@blueprint.operation("GET", "/leads", scope=READ, query=LeadQuerySchema, answer=LeadPageSchema)
def list_leads(query: dict[str, Any]) -> Any:
    """List leads; `email` finds every spelling of an address."""
    wanted = dict(query)
    if "email" in query:
        wanted["email_key"] = strict_key(query["email"])
    page = listing.list_leads(current_session(), paging(query), wanted)
    return page_answer(query, page, [row[0] for row in page.rows])


@blueprint.operation("POST", "/leads", scope=WRITE, body=LeadSchema, answer=LeadSchema, status=201)
def create_lead(body: dict[str, Any]) -> Any:
    """Register a lead."""
    return service.create_lead(current_session(), body, current_actor())


@blueprint.operation("GET", "/leads/<lead_id>", scope=READ, answer=LeadSchema)
def get_lead(lead_id: str) -> Any:
    """Get one lead."""
    return service.get_lead(current_session(), path_key("led", lead_id))


@blueprint.operation(
    "PATCH", "/leads/<lead_id>", scope=WRITE, body=LeadSchema(partial=True), answer=LeadSchema
)
def change_lead(body: dict[str, Any], lead_id: str) -> Any:
    """Change what is given. A converted lead keeps its status, e-mail and partner."""
    return service.change_lead(current_session(), path_key("led", lead_id), body, current_actor())
