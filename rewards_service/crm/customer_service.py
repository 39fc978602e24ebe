"""Make and change customers, as people do."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm.models import Customer
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.emails import KEY_VERSION, loose_key, strict_key
from rewards_service.kit.errors import NotFound
from rewards_service.kit.refusals import invalid_member
from rewards_service.partners.service import check_partners


def create_customer(session: Session, wanted: Mapping[str, Any], actor: str) -> Customer:
    """A customer made by a person.

    wanted: `name`; optional `email`, `source_partner_id` (key). A payment by the same e-mail may
    later attach a Chargebee id (DOMAIN M6). Raises Unprocessable for an unknown partner.
    """
    partner_id = wanted.get("source_partner_id")
    if partner_id is not None:
        check_partners(session, "source_partner_id", [partner_id])
    customer = Customer(
        name=wanted["name"], source_partner_id=partner_id, source_by_hand=partner_id is not None
    )
    _set_email(customer, wanted.get("email"))
    session.add(customer)
    session.flush()
    detail = {"source_partner_id": partner_id}
    record(session, "customer.created", ("customer", customer.id), detail, actor)
    return customer


def get_customer(session: Session, customer_id: int, lock: bool = False) -> Customer:
    """A customer that was not withdrawn. Raises NotFound."""
    found = session.get(Customer, customer_id, with_for_update=lock and is_postgresql(session))
    if found is None or found.withdrawn_at is not None:
        raise NotFound("There is no such customer.")
    return found


def change_customer(
    session: Session, customer_id: int, wanted: Mapping[str, Any], actor: str
) -> Customer:
    """Change what is given; another source partner needs a `reason` (DOMAIN S5).

    The new source partner earns on payments from now on. Raises NotFound, Unprocessable.
    """
    customer = get_customer(session, customer_id, lock=True)
    if "name" in wanted:
        customer.name = wanted["name"]
    if "email" in wanted:
        _set_email(customer, wanted["email"])
    if wanted.get("source_partner_id", customer.source_partner_id) != customer.source_partner_id:
        _change_source(session, customer, wanted, actor)
    session.flush()
    return customer


def _change_source(
    session: Session, customer: Customer, wanted: Mapping[str, Any], actor: str
) -> None:
    partner_id = wanted["source_partner_id"]
    if "reason" not in wanted:
        raise invalid_member("reason", "Another source partner needs a reason.")
    if partner_id is not None:
        check_partners(session, "source_partner_id", [partner_id])
    detail = {
        "from": customer.source_partner_id,
        "to": partner_id,
        "reason": wanted["reason"],
    }
    customer.source_partner_id = partner_id
    customer.source_by_hand = True  # what a person decided, the next payment must not undo
    customer.hold_reason = None
    record(session, "customer.source_changed", ("customer", customer.id), detail, actor)


def _set_email(customer: Customer, email: str | None) -> None:
    customer.email = email
    customer.email_key = strict_key(email)
    customer.loose_key = loose_key(email)
    customer.key_version = KEY_VERSION
