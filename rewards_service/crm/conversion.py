"""Bring leads, deals and customers to what matching says they must be.

A batch of claims comes in; most change nothing beyond what their payer already is. For the others
the whole neighbourhood is folded anew (`attribution.resolve`) and the difference to the books is
written. The caller owns the transaction and has the events stage to itself.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.crm import books, queries
from rewards_service.crm.attribution import resolve
from rewards_service.crm.books import Attributed
from rewards_service.crm.decided import lift_decided
from rewards_service.crm.matching import (
    OPEN_DEALS,
    Claim,
    CustomerFacts,
    DealFacts,
    LeadFacts,
    Payer,
)
from rewards_service.crm.models import PaymentClaim
from rewards_service.crm.queries import AnyRow, Neighbourhood
from rewards_service.crm.telling import tell_converted
from rewards_service.kit.db import insert_many
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids


def attribute(session: Session, claims: Sequence[Claim], held: Collection[int] = ()) -> Attributed:
    """Keep the claims and do what they imply, in the order of the payments (DOMAIN M2-M17).

    held: events among them whose claims are kept already; what they imply is worked out again.
    """
    fresh = [claim for claim in claims if claim.event not in held]
    insert_many(session, PaymentClaim, [_claim_row(claim) for claim in fresh])
    definition_id = definition_ids(session)[CUSTOMER_ID]
    payers = {claim.payer for claim in claims}
    keys = {claim.email_key for claim in claims if claim.email_key}
    around = queries.load_neighbourhood(session, definition_id, payers, keys)
    unsettled = [c for c in claims if c.event in held or not _is_settled(c, around)]
    done = Attributed(known={payer: around.links[payer] for payer in payers & set(around.links)})
    if unsettled:
        _fold_anew(session, definition_id, unsettled, done)
    return done


def attribute_again(session: Session, payers: Collection[Payer]) -> Attributed:
    """Do what all claims around these payers imply, after a person decided something about them.

    The payers count as moved: whatever depends on whose they are is to be worked out again.
    """
    definition_id = definition_ids(session)[CUSTOMER_ID]
    done = Attributed(known=queries.find_links(session, definition_id, payers), moved=set(payers))
    claims = queries.load_claims_of(session, payers)
    if claims:
        _fold_anew(session, definition_id, claims, done)
    return done


def _claim_row(claim: Claim) -> dict[str, Any]:
    return {
        "received_event_id": claim.event,
        "integration_id": claim.payer.integration_id,
        "event_id": claim.event_id,
        "occurred_at": claim.occurred_at,
        "chargebee_transaction_id": claim.transaction_id,
        "chargebee_customer_id": claim.payer.chargebee_id,
        "email": claim.email,
        "email_key": claim.email_key,
        "customer_name": claim.name,
        "paid_at": claim.paid_at,
        "convert_lead": claim.convert_lead,
        "associate_deal": claim.associate_deal,
        "create_transaction": claim.create_transaction,
        "first_wins": claim.first_wins,
    }


def _is_settled(claim: Claim, around: Neighbourhood) -> bool:
    """Whether the claim provably changes nothing: its payer was known before, or no one can be."""
    if not claim.create_transaction:
        return False  # its outcome depends on its place among the others
    key = claim.email_key or ""
    leads = around.leads_by_key.get(key, ())
    deals = around.deals_by_key.get(key, ())
    if not leads and not deals and not around.unlinked_by_key.get(key):
        return True
    customer = around.customers.get(around.links.get(claim.payer, 0))
    if customer is None:
        return False
    times = [customer.matched_at, *(row.converted_at for row in leads)]
    times += [row.associated_at for row in deals]
    open_deals = any(row.customer_id is None and row.stage in OPEN_DEALS for row in deals)
    return not open_deals and all(at is None or at < claim.paid_at for at in times)


def _fold_anew(
    session: Session, definition_id: int, unsettled: Sequence[Claim], done: Attributed
) -> None:
    claims = queries.load_claims_around(session, unsettled)
    done.claims = claims
    payers = {claim.payer for claim in claims}
    keys = {claim.email_key for claim in claims if claim.email_key}
    around = queries.load_neighbourhood(session, definition_id, payers, keys)
    queries.add_kept(session, definition_id, around)
    facts = _facts(around)
    resolution = resolve(claims, *facts)
    lift_decided(session, resolution)
    ids = books.write_customers(session, definition_id, payers, around, resolution, done)
    books.write_leads(session, around, resolution, ids)
    books.write_deals(session, around, resolution, ids, done)
    tell_converted(session, around, resolution, ids)
    books.open_conflicts(session, resolution.conflicts)
    wanted = {claim.event for claim in claims if not claim.create_transaction}
    done.outcomes = {event: resolution.outcomes[event] for event in sorted(wanted)}
    done.results = {
        event: {**found, "customer_id": done.known.get(claim.payer)}
        for claim in claims
        if (found := resolution.results.get(event := claim.event)) is not None
    }


def _facts(
    around: Neighbourhood,
) -> tuple[list[LeadFacts], list[DealFacts], list[CustomerFacts]]:
    """The neighbourhood as it would be without the machine, save what approvals have pinned."""
    pinned = {row.id for row in around.customers.values() if row.pinned}
    leads = [_lead_facts(row, around, pinned) for row in around.leads.values()]
    deals = [
        DealFacts(
            row.id, row.email_key, row.stage, row.partner_id, row.registered_at,
            *((row.customer_id, row.associated_at) if row.customer_id in pinned else (None, None)),
        )
        for row in around.deals.values()
    ]  # fmt: skip
    customers = [_customer_facts(row, around) for row in around.customers.values()
                 if not row.machine_made or row.pinned]  # fmt: skip
    return leads, deals, sorted(customers, key=lambda customer: customer.id)


def _lead_facts(row: AnyRow, around: Neighbourhood, pinned: Collection[int]) -> LeadFacts:
    is_pinned = row.customer_id in pinned
    return LeadFacts(
        row.id, row.email_key, row.status_before or row.status, row.partner_id, row.registered_at,
        pinned_customer_id=row.customer_id if is_pinned else None,
        pinned_at=row.converted_at if is_pinned else None,
        superseder_id=_superseder(row, around, pinned),
    )  # fmt: skip


def _superseder(row: AnyRow, around: Neighbourhood, pinned: Collection[int]) -> int | None:
    winner = around.leads.get(row.superseded_by_id or 0)
    return winner.id if winner is not None and winner.customer_id in pinned else None


def _customer_facts(row: AnyRow, around: Neighbourhood) -> CustomerFacts:
    if row.pinned:
        payers = tuple(payer for payer, owner in around.links.items() if owner == row.id)
        linked_at = None if row.machine_made else row.matched_at
        return CustomerFacts(
            row.id, row.email_key, row.source_partner_id, payers, pinned=True, linked_at=linked_at
        )
    by_hand = row.source_lead_id is None and row.source_deal_id is None
    return CustomerFacts(row.id, row.email_key, row.source_partner_id if by_hand else None)
