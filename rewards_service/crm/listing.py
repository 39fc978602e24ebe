"""Pages of leads, deals and customers, and what is shown beside them: one query each, per page."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, false, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, DealShare, Lead
from rewards_service.integrations.models import Integration
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID

LEAD_FILTERS = ("status", "email_key", "partner_id", "external_id")
DEAL_FILTERS = ("stage", "email_key", "partner_id", "external_id")


def list_leads(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of leads; `wanted` may name any of LEAD_FILTERS. own: of this partner alone."""
    query = select(Lead)
    if own is not None:
        query = query.where(Lead.partner_id == own)
    return fetch(session, _filtered(query, Lead, wanted, LEAD_FILTERS), Lead.id, paging)


def list_deals(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of deals; `wanted` may name any of DEAL_FILTERS.

    own: those that this partner has or shares in.
    """
    query = select(Deal)
    if own is not None:
        query = query.where(Deal.id.in_(_deals_of(own)))
        if wanted.get("partner_id", own) != own:  # whose deal it shares in, it is not told
            query = query.where(false())
    return fetch(session, _filtered(query, Deal, wanted, DEAL_FILTERS), Deal.id, paging)


def _deals_of(partner_id: int) -> CompoundSelect[int]:
    shared = select(DealShare.deal_id).where(DealShare.partner_id == partner_id)
    return select(Deal.id).where(Deal.partner_id == partner_id).union(shared)


def _filtered(
    query: Select[Any], model: type[Any], wanted: Mapping[str, Any], names: Collection[str]
) -> Select[Any]:
    for name in names:
        if name in wanted:
            query = query.where(getattr(model, name) == wanted[name])
    return query


def list_customers(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of customers. wanted: `email_key`, `chargebee_customer_id`, if given.

    own: those whose source partner this one is.
    """
    query = select(Customer).where(Customer.withdrawn_at.is_(None))
    if own is not None:
        query = query.where(Customer.source_partner_id == own)
    if "email_key" in wanted:
        query = query.where(Customer.email_key == wanted["email_key"])
    if "chargebee_customer_id" in wanted:
        query = query.where(Customer.id.in_(_carriers(wanted["chargebee_customer_id"])))
    return fetch(session, query, Customer.id, paging)


def _carriers(chargebee_id: str) -> Select[Any]:
    """Customers with this id at any site; naming the sites lets the index by site serve."""
    return (
        select(PropertyValue.subject_id)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(
            PropertyDefinition.key == CUSTOMER_ID,
            PropertyValue.integration_id.in_(select(Integration.id)),
            PropertyValue.is_unique,
            PropertyValue.value == chargebee_id,
        )
    )


def shares_of(session: Session, deal_ids: Sequence[int]) -> dict[int, list[DealShare]]:
    """Deal -> its shares, by partner."""
    found: dict[int, list[DealShare]] = defaultdict(list)
    query = (
        select(DealShare)
        .where(DealShare.deal_id.in_(deal_ids))
        .order_by(DealShare.deal_id, DealShare.partner_id)
    )
    for share in session.scalars(query):
        found[share.deal_id].append(share)
    return found


def chargebee_ids(session: Session, customer_ids: Sequence[int]) -> dict[int, list[dict[str, str]]]:
    """Customer -> [{site, id}], the oldest site first (DOMAIN M10)."""
    found: dict[int, list[dict[str, str]]] = defaultdict(list)
    query = (
        select(PropertyValue.subject_id, Integration.site, PropertyValue.value)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .join(Integration, Integration.id == PropertyValue.integration_id)
        .where(PropertyDefinition.key == CUSTOMER_ID, PropertyValue.subject_id.in_(customer_ids))
        .order_by(PropertyValue.subject_id, PropertyValue.integration_id, PropertyValue.position)
    )
    for customer_id, site, value in session.execute(query):
        found[customer_id].append({"site": site, "id": value})
    return found


def own_customers(session: Session, customer_ids: Iterable[int | None], own: int) -> set[int]:
    """Those of `customer_ids` that a key of this partner may name."""
    wanted = sorted(key for key in set(customer_ids) if key is not None)
    return set(session.scalars(customers_of(own).where(Customer.id.in_(wanted))))


def customers_of(partner_id: int) -> Select[int]:
    """The keys of all customers whose source partner this one is."""
    return select(Customer.id).where(
        Customer.source_partner_id == partner_id, Customer.withdrawn_at.is_(None)
    )


def leads_of(
    session: Session, customer_ids: Sequence[int], own: int | None = None
) -> dict[int, list[int]]:
    """Customer -> the leads that became it, in the order of their conversion; `own`: of those."""
    query = select(Lead.customer_id, Lead.id).order_by(Lead.converted_at, Lead.id)
    if own is not None:
        query = query.where(Lead.partner_id == own)
    return _grouped(session, query.where(Lead.customer_id.in_(customer_ids)))


def deals_of(
    session: Session, customer_ids: Sequence[int], own: int | None = None
) -> dict[int, list[int]]:
    """Customer -> the deals associated with it; `own`: of those that this partner has part in."""
    query = select(Deal.customer_id, Deal.id).order_by(Deal.id)
    if own is not None:
        query = query.where(Deal.id.in_(_deals_of(own)))
    return _grouped(session, query.where(Deal.customer_id.in_(customer_ids)))


def _grouped(session: Session, query: Select[int | None, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for owner_id, found_key in session.execute(query):
        if owner_id is not None:
            found[owner_id].append(found_key)
    return found
