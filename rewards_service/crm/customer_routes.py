"""/api/v1/customers; changing one is among the routes of the workbench, for rewards follow."""

from collections.abc import Iterable, Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.crm import customer_service as service
from rewards_service.crm import listing
from rewards_service.crm.models import Customer
from rewards_service.crm.schemas import (
    CustomerPageSchema,
    CustomerQuerySchema,
    CustomerSchema,
)
from rewards_service.kit.emails import strict_key
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import confined_to, own_partner
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("customers", "Those who pay")

READ, WRITE = "crm:read", "crm:write"
PLAIN = ("id", "name", "email", "source_partner_id", "created_at", "updated_at")


@blueprint.operation(
    "GET", "/customers", scope=READ, query=CustomerQuerySchema, answer=CustomerPageSchema,
    for_partners=True,
)  # fmt: skip
def list_customers(query: dict[str, Any]) -> Any:
    """List customers; `email` finds every spelling of an address."""
    wanted = dict(query)
    if "email" in query:
        wanted["email_key"] = strict_key(query["email"])
    page = listing.list_customers(current_session(), paging(query), wanted, own_partner())
    return page_answer(query, page, show_customers([row[0] for row in page.rows]))


@blueprint.operation(
    "POST", "/customers", scope=WRITE, body=CustomerSchema, answer=CustomerSchema, status=201
)
def create_customer(body: dict[str, Any]) -> Any:
    """Make a customer by hand."""
    return show_customers([service.create_customer(current_session(), body, current_actor())])[0]


@blueprint.operation(
    "GET", "/customers/<customer_id>", scope=READ, answer=CustomerSchema, for_partners=True
)
def get_customer(customer_id: str) -> Any:
    """Get one customer."""
    key = path_key("cus", customer_id)
    found = service.get_customer(current_session(), key, own=own_partner())
    return show_customers([found])[0]


def known_customers(customer_ids: Iterable[int | None]) -> dict[int | None, int]:
    """Those of `customer_ids` that the key of this request may name, each by itself."""
    own = confined_to()
    if own is None:
        return {key: key for key in customer_ids if key is not None}
    return {key: key for key in listing.own_customers(current_session(), customer_ids, own)}


def show_customers(customers: Sequence[Customer]) -> list[dict[str, Any]]:
    """Customers as the API shows them."""
    session, keys = current_session(), [customer.id for customer in customers]
    chargebee_ids = listing.chargebee_ids(session, keys)
    own = confined_to()
    leads, deals = listing.leads_of(session, keys, own), listing.deals_of(session, keys, own)
    return [
        {
            **{name: getattr(customer, name) for name in PLAIN},
            "properties": {
                "chargebee_customer_id": next(
                    (item["id"] for item in chargebee_ids[customer.id]), None
                )
            },
            "chargebee_ids": chargebee_ids[customer.id],
            "lead_id": next(iter(leads[customer.id]), None),
            "deal_ids": deals[customer.id],
        }
        for customer in customers
    ]
