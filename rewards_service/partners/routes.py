"""/api/v1/partners."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.kit.clock import utc_now
from rewards_service.kit.emails import strict_key
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import own_partner
from rewards_service.kit.web import Resource, current_session, current_settings, path_key
from rewards_service.partners import queries, service
from rewards_service.partners.models import Partner
from rewards_service.partners.payout_details import change_details, masked
from rewards_service.partners.schemas import PartnerPageSchema, PartnerQuerySchema, PartnerSchema

blueprint = Resource("partners", "Those who bring leads and deals, and earn rewards")

READ, WRITE = "partners:read", "partners:write"
PLAIN = (
    "id", "name", "email", "status", "payout_currency", "external_id", "created_at", "updated_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/partners", scope=READ, query=PartnerQuerySchema, answer=PartnerPageSchema,
    for_partners=True,
)  # fmt: skip
def list_partners(query: dict[str, Any]) -> Any:
    """List partners; `email` finds every spelling of an address."""
    wanted = dict(query)
    if "email" in query:
        wanted["email_key"] = strict_key(query["email"])
    page = queries.list_partners(current_session(), paging(query), wanted, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation(
    "POST", "/partners", scope=WRITE, body=PartnerSchema, answer=PartnerSchema, status=201
)
def create_partner(body: dict[str, Any]) -> Any:
    """Make a partner."""
    return _written(service.create_partner(current_session(), body, current_actor()), body)


@blueprint.operation(
    "GET", "/partners/<partner_id>", scope=READ, answer=PartnerSchema, for_partners=True
)
def get_partner(partner_id: str) -> Any:
    """Get one partner."""
    key = path_key("par", partner_id)
    return _shown([service.get_partner(current_session(), key, own=own_partner())])[0]


@blueprint.operation(
    "PATCH", "/partners/<partner_id>", scope=WRITE, body=PartnerSchema(partial=True),
    answer=PartnerSchema,
)  # fmt: skip
def change_partner(body: dict[str, Any], partner_id: str) -> Any:
    """Change what is given."""
    key = path_key("par", partner_id)
    return _written(service.change_partner(current_session(), key, body, current_actor()), body)


def _written(partner: Partner, body: dict[str, Any]) -> dict[str, Any]:
    if "payout_details" in body:
        change_details(
            current_session(), current_settings(), partner, body["payout_details"], current_actor()
        )
    return _shown([partner])[0]


def _shown(partners: Sequence[Partner]) -> list[dict[str, Any]]:
    now = utc_now()
    times = queries.enrolments_of_partners(current_session(), [item.id for item in partners])
    return [
        {
            **{name: getattr(item, name) for name in PLAIN},
            "program_ids": [row.program_id for row in times[item.id] if queries.is_open(row, now)],
            "enrolments": times[item.id],
            "payout_details": masked(item, current_settings()),
        }
        for item in partners
    ]
