"""Make and change customers, as people do."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm.journal import facts_of_customer, record_changed, record_created
from rewards_service.crm.models import Customer
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.emails import KEY_VERSION, loose_key, strict_key
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import is_foreign
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
    record_created(session, "customer", customer.id, facts_of_customer(customer), actor)
    return customer


def get_customer(
    session: Session, customer_id: int, lock: bool = False, own: int | None = None
) -> Customer:
    """A customer that was not withdrawn. Raises NotFound; with `own` also for another partner's."""
    found = session.get(Customer, customer_id, with_for_update=lock and is_postgresql(session))
    if found is None or found.withdrawn_at is not None or is_foreign(found.source_partner_id, own):
        raise NotFound("There is no such customer.")
    return found


def change_customer(
    session: Session,
    customer_id: int,
    wanted: Mapping[str, Any],
    actor: str,
    retroactive: bool = False,
) -> Customer:
    """Change what is given; another source partner needs a `reason` (DOMAIN S5).

    The new source partner earns on payments from now on; `retroactive`, also with the same
    partner, says that recorded payments are to follow, which is for the caller to do. Raises
    NotFound, Unprocessable.
    """
    customer = get_customer(session, customer_id, lock=True)
    before = facts_of_customer(customer)
    if "name" in wanted:
        customer.name = wanted["name"]
    if "email" in wanted:
        _set_email(customer, wanted["email"])
    record_changed(session, "customer", customer.id, before, facts_of_customer(customer), actor)
    partner_id = wanted.get("source_partner_id", customer.source_partner_id)
    if partner_id != customer.source_partner_id or retroactive:
        _check_source(session, partner_id, wanted)
        reason = wanted["reason"]
        change_source(session, customer, partner_id, None, (actor, reason), retroactive)
    session.flush()
    return customer


def _check_source(session: Session, partner_id: int | None, wanted: Mapping[str, Any]) -> None:
    if "reason" not in wanted:
        raise invalid_member("reason", "Another source partner needs a reason.")
    if partner_id is not None:
        check_partners(session, "source_partner_id", [partner_id])


def change_source(
    session: Session,
    customer: Customer,
    partner_id: int | None,
    deal_id: int | None,
    who_and_why: tuple[str, str],
    retroactive: bool,
) -> None:
    """Give a customer the source partner that a person chose; going back in time pins it.

    deal_id: the deal that names the partner, whose shares then pay (S7); None: the partner alone.
    """
    actor, reason = who_and_why
    detail = {
        "before": {
            "source_partner_id": customer.source_partner_id,
            "source_deal_id": customer.source_deal_id,
            "hold_reason": customer.hold_reason,
        },
        "after": {"source_partner_id": partner_id, "source_deal_id": deal_id, "hold_reason": None},
        "retroactive": retroactive,
    }
    customer.source_partner_id = partner_id
    customer.source_lead_id, customer.source_deal_id = None, deal_id
    customer.source_by_hand = True  # what a person decided, the next payment must not undo
    customer.hold_reason = None
    if retroactive:
        customer.attributed_from = None
        customer.pinned = True
    record(session, "customer.source_changed", ("customer", customer.id), detail, actor, reason)


def _set_email(customer: Customer, email: str | None) -> None:
    customer.email = email
    customer.email_key = strict_key(email)
    customer.loose_key = loose_key(email)
    customer.key_version = KEY_VERSION
