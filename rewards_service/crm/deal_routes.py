"""/api/v1/deals."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.crm import listing, service
from rewards_service.crm.customer_routes import known_customers
from rewards_service.crm.models import Deal
from rewards_service.crm.schemas import DealPageSchema, DealQuerySchema, DealSchema
from rewards_service.kit.emails import strict_key
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import confined_to, is_foreign, own_partner
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("deals", "Sales that partners work on")

READ, WRITE = "crm:read", "crm:write"
PLAIN = (
    "id", "name", "contact_email", "amount_minor", "currency", "stage", "partner_id",
    "registered_at", "external_id", "customer_id", "associated_at", "created_at", "updated_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/deals", scope=READ, query=DealQuerySchema, answer=DealPageSchema, for_partners=True
)
def list_deals(query: dict[str, Any]) -> Any:
    """List deals; `contact_email` finds every spelling of an address."""
    wanted = dict(query)
    if "contact_email" in query:
        wanted["email_key"] = strict_key(query["contact_email"])
    page = listing.list_deals(current_session(), paging(query), wanted, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation("POST", "/deals", scope=WRITE, body=DealSchema, answer=DealSchema, status=201)
def create_deal(body: dict[str, Any]) -> Any:
    """Register a deal."""
    return _shown([service.create_deal(current_session(), body, current_actor())])[0]


@blueprint.operation("GET", "/deals/<deal_id>", scope=READ, answer=DealSchema, for_partners=True)
def get_deal(deal_id: str) -> Any:
    """Get one deal."""
    key = path_key("dea", deal_id)
    return _shown([service.get_deal(current_session(), key, own=own_partner())])[0]


@blueprint.operation(
    "PATCH", "/deals/<deal_id>", scope=WRITE, body=DealSchema(partial=True), answer=DealSchema
)
def change_deal(body: dict[str, Any], deal_id: str) -> Any:
    """Change what is given. A deal with a customer keeps its contact, partner and shares."""
    deal = service.change_deal(current_session(), path_key("dea", deal_id), body, current_actor())
    return _shown([deal])[0]


def _shown(deals: Sequence[Deal]) -> list[dict[str, Any]]:
    shares = listing.shares_of(current_session(), [deal.id for deal in deals])
    customers = known_customers([deal.customer_id for deal in deals])
    own = confined_to()
    return [
        {
            **{name: getattr(deal, name) for name in PLAIN},
            "partner_id": None if is_foreign(deal.partner_id, own) else deal.partner_id,
            "customer_id": customers.get(deal.customer_id),
            "shares": [one for one in shares[deal.id] if not is_foreign(one.partner_id, own)],
        }
        for deal in deals
    ]
