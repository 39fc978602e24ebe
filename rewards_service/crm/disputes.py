"""The conflicts that matching opens: what it must not decide, with the evidence (pure)."""

from collections.abc import Iterable, Sequence

from rewards_service.crm.matching import (
    CONFLICT_AMBIGUOUS,
    CONFLICT_LATE,
    CONFLICT_OTHER_ID,
    CONFLICT_PARTNERS,
    Claim,
    Conflict,
    DealFacts,
    LeadFacts,
    Payer,
)


def several_customers(claim: Claim, customer_ids: Sequence[int]) -> Conflict:
    """M6: several customers made by people share the payer's e-mail."""
    payer = claim.payer
    return Conflict(
        CONFLICT_AMBIGUOUS,
        f"{CONFLICT_AMBIGUOUS}:{payer.integration_id}:{payer.chargebee_id}",
        ("customer", customer_ids[0]),
        {"customers": list(customer_ids), "chargebee_customer_id": payer.chargebee_id},
    )


def other_chargebee_id(claim: Claim, lead: LeadFacts, owned: Iterable[Payer]) -> Conflict:
    """M5: the customer of a converted lead has another id at this site."""
    payer = claim.payer
    ids = [*(one.chargebee_id for one in owned), payer.chargebee_id]
    return Conflict(
        CONFLICT_OTHER_ID,
        f"{CONFLICT_OTHER_ID}:{payer.integration_id}:{payer.chargebee_id}",
        ("lead", lead.id),
        {"chargebee_customer_ids": ids},
    )


def two_partners(lead: LeadFacts, leads: Sequence[int], deals: Sequence[int]) -> Conflict:
    """M4, S2: leads or deals of different partners claim one customer."""
    return Conflict(
        CONFLICT_PARTNERS,
        f"{CONFLICT_PARTNERS}:lead:{lead.id}:{'deals' if deals else 'leads'}",
        ("lead", lead.id),
        {"leads": [lead.id, *leads], "deals": list(deals)},
    )


def late_for(deal: DealFacts, claim: Claim) -> Conflict | None:
    """M17: an earlier payment that came after rewards were approved changes nothing by itself."""
    if deal.pinned_at is None or claim.paid_at >= deal.pinned_at:
        return None
    payer = claim.payer
    return Conflict(
        CONFLICT_LATE,
        f"{CONFLICT_LATE}:deal:{deal.id}:{payer.integration_id}:{payer.chargebee_id}",
        ("deal", deal.id),
        {"customers": [deal.pinned_customer_id], "chargebee_customer_id": payer.chargebee_id},
    )
