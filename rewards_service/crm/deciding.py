"""A person says whose a payer is: by a lead, a deal, or a customer (DOMAIN M10, M11, default 2).

What a person decided is pinned: no later payment changes it. The caller holds the events stage.
"""

from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm.customer_service import get_customer
from rewards_service.crm.matching import Claim, Payer
from rewards_service.crm.models import Customer, Deal
from rewards_service.crm.queries import find_links
from rewards_service.crm.service import DealAssociated, LeadConverted, get_deal, get_lead
from rewards_service.kit import ids
from rewards_service.kit.emails import KEY_VERSION, loose_key
from rewards_service.kit.errors import Conflict
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import add_values, definition_ids, values_of


class PayerKnown(Conflict):
    code = "payer_known"
    title = "The payer belongs to a customer already."


class CustomerHasId(Conflict):
    code = "customer_has_chargebee_id"
    title = "This customer has another Chargebee id at this site."


def owner_of(session: Session, payer: Payer) -> int | None:
    """The customer that carries a Chargebee id; None when it is nobody's."""
    definition_id = definition_ids(session)[CUSTOMER_ID]
    return find_links(session, definition_id, [payer]).get(payer)


def attach(
    session: Session, claim: Claim, kind: str, key: int, actor: str, reason: str
) -> Customer:
    """Give a payment's payer to the lead, deal or customer (`kind`) with this key, for good.

    A lead is converted and a deal associated whenever they were registered, and whatever became
    of them: the payment itself earns. Raises NotFound, PayerKnown, LeadConverted, DealAssociated,
    CustomerHasId.
    """
    owner = owner_of(session, claim.payer)
    if owner is not None:
        raise PayerKnown(
            f"The payer {claim.payer.chargebee_id} belongs to {ids.encode('cus', owner)}. To give "
            "it another source partner, change that customer."
        )
    customer: Customer = _BY_KIND[kind](session, claim, key)
    customer.pinned = True
    if customer.attributed_from is not None and claim.paid_at < customer.attributed_from:
        customer.attributed_from = None
    session.flush()
    _link(session, customer, claim.payer)
    detail = {
        "integration_id": claim.payer.integration_id,
        "chargebee_customer_id": claim.payer.chargebee_id,
        f"{kind}_id": key,
        "customer_id": customer.id,
        "source_partner_id": customer.source_partner_id,
    }
    record(session, "event.attached", ("event", claim.event), detail, actor, reason)
    return customer


def _by_lead(session: Session, claim: Claim, lead_id: int) -> Customer:
    lead = get_lead(session, lead_id, lock=True)
    if lead.customer_id is not None:
        raise LeadConverted(
            f"This lead became {ids.encode('cus', lead.customer_id)}: attach to that customer."
        )
    customer = _new(session, claim, lead.partner_id)
    customer.source_lead_id = lead.id if lead.partner_id is not None else None
    lead.status_before, lead.status = lead.status, "converted"
    lead.customer_id, lead.converted_at = customer.id, claim.paid_at
    lead.superseded_by_id = None
    return customer


def _by_deal(session: Session, claim: Claim, deal_id: int) -> Customer:
    deal = get_deal(session, deal_id, lock=True)
    if deal.customer_id is not None:
        raise DealAssociated(
            f"This deal belongs to {ids.encode('cus', deal.customer_id)}: attach to that customer."
        )
    customer = _new(session, claim, None)
    associate(deal, customer, claim)
    return customer


def associate(deal: Deal, customer: Customer, claim: Claim) -> None:
    """Give a deal to a customer; it names the source partner of one that has none (S1)."""
    deal.customer_id, deal.associated_at = customer.id, claim.paid_at
    if deal.partner_id is not None and customer.source_partner_id is None:
        customer.source_partner_id = deal.partner_id
        customer.source_deal_id = deal.id


def _by_customer(session: Session, claim: Claim, customer_id: int) -> Customer:
    customer = get_customer(session, customer_id, lock=True)
    definition_id = definition_ids(session)[CUSTOMER_ID]
    for _, site, value in values_of(session, definition_id, [customer.id]):
        if site == claim.payer.integration_id:
            raise CustomerHasId(
                f"{ids.encode('cus', customer.id)} is {value} at this site; the payment is of "
                f"{claim.payer.chargebee_id}. A customer has one Chargebee id per site."
            )
    customer.matched_at = claim.paid_at
    return customer


_BY_KIND: dict[str, Any] = {"lead": _by_lead, "deal": _by_deal, "customer": _by_customer}


def make_customer(session: Session, claim: Claim) -> Customer:
    """A pinned customer of a payer that is nobody's yet, without a source partner."""
    customer = _new(session, claim, None)
    _link(session, customer, claim.payer)
    return customer


def _new(session: Session, claim: Claim, partner_id: int | None) -> Customer:
    customer = Customer(
        name=claim.name,
        email=claim.email,
        email_key=claim.email_key,
        loose_key=loose_key(claim.email_key),
        key_version=KEY_VERSION,
        source_partner_id=partner_id,
        matched_at=claim.paid_at,
        pinned=True,
    )
    session.add(customer)
    session.flush()
    return customer


def _link(session: Session, customer: Customer, payer: Payer) -> None:
    definition_id = definition_ids(session)[CUSTOMER_ID]
    row = (customer.id, payer.integration_id, 0, payer.chargebee_id)
    add_values(session, definition_id, True, [row])
