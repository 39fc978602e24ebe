"""Leads, deals and customers that a payment almost matched: for people, never acted on (E4, M7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from rewards_service.crm.matching import OPEN_DEALS, Payer
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks
from rewards_service.kit.emails import loose_key
from rewards_service.kit.mail_domains import own_domain
from rewards_service.kit.neighbours import neighbours
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids, values_of

LIMIT = 20  # of each kind
# How a thing resembles the payer, the strongest first; then why it did not match.
SAME_EMAIL, TYPING_ERROR, SAME_LOOSE_KEY, SAME_DOMAIN = LIKENESSES = (
    "same_email", "typing_error", "same_loose_key", "same_domain",
)  # fmt: skip
HINDRANCES = (
    "registered_later", "lost", "archived", "converted", "associated", "superseded",
    "has_chargebee_id",
)  # fmt: skip


class NearMiss(NamedTuple):
    """A lead, deal or customer; `why`: LIKENESSES, then HINDRANCES that apply."""

    thing: Any
    why: tuple[str, ...]
    attachable: bool


class NearMisses(NamedTuple):
    leads: list[NearMiss]
    deals: list[NearMiss]
    customers: list[NearMiss]


def near_misses(
    session: Session, key: str | None, paid_at: datetime | None, payer: Payer | None
) -> NearMisses:
    """What resembles the e-mail key of a payment, at most LIMIT of each kind, the likest first.

    payer: None when nothing can be attached to it any more, and so to nobody.
    """
    if key is None:
        return NearMisses([], [], [])
    leads = [
        NearMiss(lead, (*why, *_against_lead(lead, paid_at)), _is_free(lead, payer))
        for lead, why in _alike(session, Lead, key)
    ]
    deals = [
        NearMiss(deal, (*why, *_against_deal(deal, paid_at)), _is_free(deal, payer))
        for deal, why in _alike(session, Deal, key)
    ]
    found = _alike(session, Customer, key)
    carriers = _carriers(session, [customer.id for customer, _ in found], payer)
    customers = [
        NearMiss(
            customer,
            (*why, *(["has_chargebee_id"] if customer.id in carriers else [])),
            payer is not None and customer.id not in carriers,
        )
        for customer, why in found
    ]
    return NearMisses(leads, deals, customers)


def _alike(session: Session, model: Any, key: str) -> list[tuple[Any, list[str]]]:
    """Rows that resemble the key in some way, and in which; by indexes only."""
    loose, domain = loose_key(key), own_domain(key)
    conditions: list[tuple[str, ColumnElement[bool]]] = [(SAME_EMAIL, model.email_key == key)]
    for some in chunks(sorted(neighbours(key))):
        conditions.append((TYPING_ERROR, among(session, model.email_key, some)))
    conditions.append((SAME_LOOSE_KEY, model.loose_key == loose))
    if domain is not None:
        conditions.append((SAME_DOMAIN, model.email_domain == domain))
    rows: dict[int, Any] = {}
    why: dict[int, list[str]] = {}
    for likeness, condition in conditions:
        for row in _some(session, model, condition, likeness):
            rows[row.id] = row
            likenesses = why.setdefault(row.id, [])
            if likeness not in likenesses:
                likenesses.append(likeness)
    order = sorted(rows, key=lambda one: (LIKENESSES.index(why[one][0]), -one))
    return [(rows[one], why[one]) for one in order[:LIMIT]]


def _some(
    session: Session, model: Any, condition: ColumnElement[bool], likeness: str
) -> Sequence[Any]:
    query = select(model).where(condition)
    if likeness != TYPING_ERROR:
        # With thousands of keys the planner would go through the whole table for the first 20.
        query = query.order_by(model.id.desc()).limit(LIMIT)
    if model is Customer:
        query = query.where(Customer.withdrawn_at.is_(None))
    return session.scalars(query).all()


def _against_lead(lead: Lead, paid_at: datetime | None) -> list[str]:
    found = []
    if paid_at is not None and lead.registered_at > paid_at:
        found.append("registered_later")
    if lead.status in ("lost", "converted"):
        found.append(lead.status)
    if lead.superseded_by_id is not None:
        found.append("superseded")
    return found


def _against_deal(deal: Deal, paid_at: datetime | None) -> list[str]:
    found = []
    if paid_at is not None and deal.registered_at > paid_at:
        found.append("registered_later")
    if deal.stage not in OPEN_DEALS:
        found.append(deal.stage)
    if deal.customer_id is not None:
        found.append("associated")
    return found


def _is_free(thing: Lead | Deal, payer: Payer | None) -> bool:
    return payer is not None and thing.customer_id is None


def _carriers(session: Session, customer_ids: Sequence[int], payer: Payer | None) -> set[int]:
    """Those that have a Chargebee id at the payer's site, or at any when there is no payer."""
    definition_id = definition_ids(session).get(CUSTOMER_ID)
    if definition_id is None or not customer_ids:
        return set()
    return {
        customer
        for customer, site, _ in values_of(session, definition_id, customer_ids)
        if payer is None or site == payer.integration_id
    }
