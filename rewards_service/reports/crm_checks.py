"""Invariants of customers, leads and deals, and of the properties that name them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from rewards_service.crm.matching import CONFLICT_AMBIGUOUS, CONFLICT_PARTNERS, OPEN_DEALS
from rewards_service.crm.models import (
    DEAL_STAGES,
    LEAD_STATUSES,
    AttributionConflict,
    Customer,
    Deal,
    Lead,
    PaymentClaim,
)
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CHARGEBEE_PROPERTIES, CUSTOMER_ID
from rewards_service.reports.findings import Finding, Invariant, about, each, pages


def _ambiguous_properties(session: Session) -> Iterator[Finding]:
    """M10: a unique value names one thing per site, and a thing has one of them per site."""
    yield from _undefined(session)
    value, definition = PropertyValue, PropertyDefinition
    kinds = {key: kind for key, kind in session.execute(select(definition.id, definition.subject))}  # noqa: C416
    of_unique = value.definition_id == definition.id
    first = func.min(value.subject_id)
    named = (value.definition_id, value.integration_id, value.value)
    carried = (value.definition_id, value.integration_id, value.subject_id)
    queries = (
        (
            select(value.definition_id, first, value.value).join(definition, of_unique)
            .where(definition.is_unique).group_by(*named).having(func.count() > 1),
            "{0} names more than one thing.",
        ),
        (
            select(value.definition_id, value.subject_id, func.count()).join(definition, of_unique)
            .where(definition.is_unique).group_by(*carried).having(func.count() > 1),
            "It has {0} values of a property that is single per site.",
        ),
        (
            select(value.definition_id, value.subject_id, value.value).join(definition, of_unique)
            .where(value.is_unique != definition.is_unique),
            "{0} is not held as its property is defined.",
        ),
    )  # fmt: skip
    for query, detail in queries:
        for page in pages(session, query):
            for definition_id, key, member in page:
                yield about(kinds[definition_id], key, detail.format(member))


def _undefined(session: Session) -> Iterator[Finding]:
    """Turning an integration on defines its properties."""
    defined = set(session.scalars(select(PropertyDefinition.key)))
    missing = {item.key for item in CHARGEBEE_PROPERTIES} - defined
    newest = session.scalar(select(func.max(Integration.id))) if missing else None
    if newest is not None:
        yield about("integration", newest, f"Not defined: {', '.join(sorted(missing))}.")


def _customer_links() -> Any:
    """Values of "ChargeBee Customer ID"."""
    return (
        select(PropertyValue.subject_id, PropertyValue.integration_id, PropertyValue.value)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(PropertyDefinition.key == CUSTOMER_ID)
        .subquery()
    )


def _nameless_customers(session: Session) -> Iterator[Finding]:
    """I5: who was converted or made by a payment has a Chargebee id; who was withdrawn has none."""
    links = _customer_links()
    has_id = exists().where(links.c.subject_id == Customer.id)
    converted = exists().where(Lead.customer_id == Customer.id)
    nameless = select(Customer.id).where(
        Customer.withdrawn_at.is_(None), or_(Customer.machine_made, converted), ~has_id
    )
    yield from each(session, nameless, "customer", "It has no ChargeBee Customer ID.")
    stray = (
        select(links.c.subject_id, links.c.value)
        .outerjoin(Customer, Customer.id == links.c.subject_id)
        .where(or_(Customer.id.is_(None), Customer.withdrawn_at.is_not(None)))
    )
    detail = "It is withdrawn or missing, but ChargeBee Customer ID {0} names it."
    yield from each(session, stray, "customer", detail)


def _half_converted(session: Session) -> Iterator[Finding]:
    """I12, M4: converted once, to a customer that is one; superseded by a converted lead."""
    owner = Customer
    is_converted = Lead.status == "converted"
    query = (
        select(Lead.id, Lead.status)
        .outerjoin(owner, owner.id == Lead.customer_id)
        .where(
            or_(
                Lead.status.not_in(LEAD_STATUSES),
                is_converted != and_(owner.id.is_not(None), owner.withdrawn_at.is_(None)),
                is_converted != Lead.converted_at.is_not(None),
                and_(~is_converted, Lead.customer_id.is_not(None)),
            )
        )
    )
    yield from each(session, query, "lead", "Status {0} and its customer contradict each other.")
    winner = aliased(Lead)
    superseded = (
        select(Lead.id)
        .outerjoin(winner, winner.id == Lead.superseded_by_id)
        .where(
            Lead.superseded_by_id.is_not(None),
            or_(winner.id.is_(None), winner.status != "converted", is_converted),
        )
    )
    yield from each(session, superseded, "lead", "What supersedes it is not a converted lead.")


def _astray_deals(session: Session) -> Iterator[Finding]:
    """I13, M7, M8: associated with a customer that is one, by a payment that was to do so."""
    query = (
        select(Deal.id, Deal.stage)
        .outerjoin(Customer, Customer.id == Deal.customer_id)
        .where(
            or_(
                Deal.stage.not_in(DEAL_STAGES),
                Deal.customer_id.is_not(None) != Deal.associated_at.is_not(None),
                and_(
                    Deal.customer_id.is_not(None),
                    or_(Customer.id.is_(None), Customer.withdrawn_at.is_not(None)),
                ),
            )
        )
    )
    yield from each(session, query, "deal", "Stage {0}: it does not belong to a customer in full.")
    links = _customer_links()
    asked_for = (
        exists()
        .where(links.c.subject_id == Deal.customer_id)
        .where(PaymentClaim.integration_id == links.c.integration_id)
        .where(PaymentClaim.chargebee_customer_id == links.c.value)
        .where(PaymentClaim.associate_deal)
    )
    by_hand = exists().where(
        Customer.id == Deal.customer_id, Customer.pinned, ~Customer.machine_made
    )
    unasked = select(Deal.id).where(Deal.customer_id.is_not(None), ~asked_for, ~by_hand)
    yield from each(session, unasked, "deal", "No payment of its customer was to associate deals.")
    yield from _missed_deals(session)


def _missed_deals(session: Session) -> Iterator[Finding]:
    """M7: a payment associates all open deals of its e-mail that were there when it was handled."""
    payer = cast(PaymentClaim.integration_id, String) + ":" + PaymentClaim.chargebee_customer_id
    ambiguous = exists().where(
        AttributionConflict.natural_key == literal(f"{CONFLICT_AMBIGUOUS}:") + payer
    )
    query = (
        select(Deal.id, func.min(ReceivedEvent.event_id))
        .join(PaymentClaim, PaymentClaim.email_key == Deal.email_key)
        .join(ReceivedEvent, ReceivedEvent.id == PaymentClaim.received_event_id)
        .where(
            Deal.customer_id.is_(None),
            Deal.stage.in_(OPEN_DEALS),
            PaymentClaim.associate_deal,
            Deal.updated_at < ReceivedEvent.received_at,
            ~ambiguous,
        )
        .group_by(Deal.id)
    )
    return each(session, query, "deal", "Event {0} should have associated it.")


def _half_resolved(session: Session) -> Iterator[Finding]:
    """What is resolved says by whom, why, and how; a held customer's conflict is open."""
    row = AttributionConflict
    is_resolved = row.resolved_at.is_not(None)
    members = (row.resolved_by, row.resolution_reason, row.decision)
    query = select(row.id).where(or_(*(is_resolved != one.is_not(None) for one in members)))
    yield from each(session, query, "conflict", "Its resolution is not whole.")
    owner = aliased(Lead)
    still_open = exists().where(
        row.kind == CONFLICT_PARTNERS,
        row.subject_kind == "lead",
        row.resolved_at.is_(None),
        owner.id == row.subject_id,
        owner.customer_id == Customer.id,
    )
    held = select(Customer.id).where(
        Customer.hold_reason == "conflict", Customer.withdrawn_at.is_(None), ~still_open
    )
    yield from each(session, held, "customer", "It is held for a conflict that is not open.")


INVARIANTS = (
    Invariant("properties", "Properties are unique where they must be.", _ambiguous_properties),
    Invariant("customer_ids", "Customers carry their Chargebee ids.", _nameless_customers),
    Invariant("leads", "Converted leads have their customer.", _half_converted),
    Invariant("deals", "Deals belong to the customer of their contact.", _astray_deals),
    Invariant("conflicts", "Conflicts are open or resolved in full.", _half_resolved),
)
