"""A person decides a conflict: money follows at once, and no later payment undoes it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from rewards_service.audit.service import as_part_of, record
from rewards_service.crm import conflicts, deciding
from rewards_service.crm.customer_service import change_source, get_customer
from rewards_service.crm.matching import (
    CONFLICT_AMBIGUOUS,
    CONFLICT_LATE,
    CONFLICT_OTHER_ID,
    CONFLICT_PARTNERS,
    Claim,
    Payer,
)
from rewards_service.crm.models import AttributionConflict, Customer
from rewards_service.crm.queries import load_claims_of
from rewards_service.crm.service import get_deal, get_lead
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Conflict
from rewards_service.kit.refusals import invalid_member
from rewards_service.webhooks.consequences import RewardChange
from rewards_service.webhooks.reattribution import follow_source
from rewards_service.webhooks.rework import hold_stages, rework
from rewards_service.webhooks.workbench import attach_claim, maybe_rehearsal

KEEP, CHOOSE, INHERIT, REATTRIBUTE = DECISIONS = ("keep", "choose", "inherit", "reattribute")
# Which decisions a kind of conflict allows; the others allow `keep` only.
LAWFUL = {
    CONFLICT_PARTNERS: (KEEP, CHOOSE),
    CONFLICT_OTHER_ID: (KEEP, INHERIT),
    CONFLICT_AMBIGUOUS: (KEEP, CHOOSE),
    CONFLICT_LATE: (KEEP, REATTRIBUTE),
}


class ConflictResolved(Conflict):
    code = "conflict_resolved"
    title = "This conflict was resolved already."


class ConflictOutdated(Conflict):
    code = "conflict_outdated"
    title = "What this conflict was about has changed since."


@dataclass(slots=True)
class Decision:
    """What a person decided, who and why."""

    decision: str
    actor: str
    reason: str
    partner_id: int | None = None
    customer_id: int | None = None

    @property
    def who_and_why(self) -> tuple[str, str]:
        return self.actor, self.reason


@dataclass(slots=True)
class Outcome:
    """Which customers the decision concerned, and which rewards changed by it."""

    customer_ids: list[int] = field(default_factory=list)
    changes: list[RewardChange] = field(default_factory=list)


def resolve(
    session: Session, conflict_id: int, decided: Decision, dry_run: bool = False
) -> list[RewardChange]:
    """Do what a person decided about a conflict, and close it; which rewards changed by it.

    With `dry_run` nothing is kept. Raises NotFound, ConflictResolved, ConflictOutdated,
    Unprocessable for a decision that does not go with the conflict, and what attaching raises.
    """
    hold_stages(session)
    with maybe_rehearsal(session, dry_run):
        conflict = conflicts.get_conflict(session, conflict_id, lock=True)
        if conflict.resolved_at is not None:
            raise ConflictResolved("It was decided already, and that stands: it is listed with it.")
        _check(conflict, decided)
        step = _STEPS.get((conflict.kind, decided.decision), _nothing)
        with as_part_of(session, conflict.natural_key):
            outcome = step(session, conflict, decided)
        _close(session, conflicts.get_conflict(session, conflict_id), decided, outcome)
        return outcome.changes


def decisions_for(conflict: AttributionConflict) -> tuple[str, ...]:
    """The decisions that a conflict of this kind allows."""
    return LAWFUL.get(conflict.kind, (KEEP,))


def _check(conflict: AttributionConflict, decided: Decision) -> None:
    lawful = decisions_for(conflict)
    if decided.decision not in lawful:
        raise invalid_member("decision", f"A conflict {conflict.kind} allows: {', '.join(lawful)}.")
    needed = {CONFLICT_PARTNERS: "partner_id", CONFLICT_AMBIGUOUS: "customer_id"}
    for kind, member in needed.items():
        wanted = decided.decision == CHOOSE and conflict.kind == kind
        if wanted != (getattr(decided, member) is not None):
            raise invalid_member(
                member, "Name whom you choose." if wanted else "It does not go with this decision."
            )


def _close(
    session: Session, conflict: AttributionConflict, decided: Decision, outcome: Outcome
) -> None:
    conflict.resolved_at = utc_now()
    conflict.resolved_by = decided.actor
    conflict.resolution_reason = decided.reason
    chosen = {"partner_id": decided.partner_id, "customer_id": decided.customer_id}
    conflict.decision = {"decision": decided.decision} | {k: v for k, v in chosen.items() if v}
    detail = {
        "kind": conflict.kind,
        "natural_key": conflict.natural_key,
        **conflict.decision,
        "customer_ids": outcome.customer_ids,
    }
    subject = ("conflict", conflict.id)
    record(session, "conflict.resolved", subject, detail, decided.actor, decided.reason)
    session.flush()


def _nothing(_session: Session, _conflict: AttributionConflict, _decided: Decision) -> Outcome:
    return Outcome()


# --- two partners claim one customer (M4, S2) ---


def _contested(session: Session, conflict: AttributionConflict) -> Customer | None:
    owner = get_lead(session, conflict.subject_id).customer_id
    return None if owner is None else get_customer(session, owner, lock=True)


def _keep_partner(session: Session, conflict: AttributionConflict, _decided: Decision) -> Outcome:
    """The present source partner keeps the customer; what was held for the conflict is let go."""
    customer = _contested(session, conflict)
    if customer is None:
        return Outcome()
    customer.pinned = True
    if customer.hold_reason == "conflict":
        customer.hold_reason = None
    key = customer.id
    return Outcome([key], follow_source(session, customer, retroactive=False).changes)


def _choose_partner(session: Session, conflict: AttributionConflict, decided: Decision) -> Outcome:
    customer = _contested(session, conflict)
    if customer is None:
        raise ConflictOutdated("Its lead is no customer's any more: keep closes the conflict.")
    found = conflicts.evidence(session, conflict)
    if decided.partner_id not in {partner.id for partner in found.partners}:
        raise invalid_member("partner_id", "Choose one of the conflict's own partners.")
    deal = next(
        (d for d in found.deals
         if d.partner_id == decided.partner_id and d.customer_id == customer.id),
        None,
    )  # fmt: skip
    by_lead = any(lead.partner_id == decided.partner_id for lead in found.leads)
    deal_id = None if deal is None or by_lead else deal.id
    key = customer.id
    change_source(session, customer, decided.partner_id, deal_id, decided.who_and_why, True)
    return Outcome([key], follow_source(session, customer, retroactive=True).changes)


# --- the customer of a converted lead has another Chargebee id (M5) ---


def _inherit(session: Session, conflict: AttributionConflict, decided: Decision) -> Outcome:
    other_key = get_lead(session, conflict.subject_id).customer_id
    payer = _payer(conflict)
    owner = deciding.owner_of(session, payer)
    if other_key is None or owner is None or owner == other_key:
        raise ConflictOutdated("The two customers are not there any more: keep closes it.")
    other, heir = get_customer(session, other_key), get_customer(session, owner, lock=True)
    partner_id, deal_id = other.source_partner_id, other.source_deal_id
    change_source(session, heir, partner_id, deal_id, decided.who_and_why, True)
    return Outcome([owner, other_key], follow_source(session, heir, retroactive=True).changes)


def _payer(conflict: AttributionConflict) -> Payer:
    payer = conflicts.payer_of(conflict)
    if payer is None:
        raise ValueError(f"A conflict {conflict.kind} names no payer.")
    return payer


# --- several customers have the payer's e-mail (M6) ---


def _choose_customer(session: Session, conflict: AttributionConflict, decided: Decision) -> Outcome:
    customer_id = decided.customer_id
    if customer_id is None or customer_id not in conflict.candidates["customers"]:
        raise invalid_member("customer_id", "Choose one of the conflict's own customers.")
    claim = _first_claim(session, _payer(conflict))
    chosen = ("customer", customer_id)
    attached = attach_claim(session, claim, chosen, decided.reason, decided.actor)
    return Outcome([attached.customer_id], attached.changes)


def _first_claim(session: Session, payer: Payer) -> Claim:
    claims = load_claims_of(session, [payer])
    if not claims:
        raise ConflictOutdated("No payment of this payer is there.")
    return min(claims, key=lambda claim: claim.place)


# --- an earlier payment came for a deal whose rewards were approved (M17) ---


def _reattribute(session: Session, conflict: AttributionConflict, decided: Decision) -> Outcome:
    """The deal goes to who paid first; what is not settled follows on both sides."""
    deal = get_deal(session, conflict.subject_id, lock=True)
    claim = _first_claim(session, _payer(conflict))
    owner = deciding.owner_of(session, claim.payer)
    if deal.customer_id is None or deal.customer_id == owner:
        raise ConflictOutdated("The deal is not the other customer's any more: keep closes it.")
    loser = get_customer(session, deal.customer_id, lock=True)
    winner = get_customer(session, owner) if owner else deciding.make_customer(session, claim)
    deciding.associate(deal, winner, claim)
    winner.pinned, winner.attributed_from = True, None
    keys = [winner.id, loser.id]
    if loser.source_deal_id == deal.id:
        change_source(session, loser, None, None, decided.who_and_why, True)
    changes = follow_source(session, loser, retroactive=True).changes
    changes += rework(session, [claim.payer], claim.event).changes
    changes += follow_source(session, get_customer(session, keys[0]), retroactive=True).changes
    return Outcome(keys, changes)


_Step = Callable[[Session, AttributionConflict, Decision], Outcome]
_STEPS: dict[tuple[str, str], _Step] = {
    (CONFLICT_PARTNERS, KEEP): _keep_partner,
    (CONFLICT_PARTNERS, CHOOSE): _choose_partner,
    (CONFLICT_OTHER_ID, INHERIT): _inherit,
    (CONFLICT_AMBIGUOUS, CHOOSE): _choose_customer,
    (CONFLICT_LATE, REATTRIBUTE): _reattribute,
}
