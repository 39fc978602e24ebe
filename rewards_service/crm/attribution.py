"""Who brought whom: the whole matching pipeline as one fold over payments (pure).

The fold walks the claims of payments in the order in which the payments *happened* and applies
DOMAIN M2-M9 to each. As its result depends on the set of claims only, the books come out the same
in whatever order events arrive (M16, M17): a late arrival is folded in at its place, and what
differs from the books is then changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from rewards_service.crm.disputes import (
    late_for,
    other_chargebee_id,
    several_customers,
    two_partners,
)
from rewards_service.crm.matching import (
    OPEN_DEALS,
    OPEN_LEADS,
    Claim,
    CustomerFacts,
    DealFacts,
    LeadFacts,
    Match,
    Payer,
    Resolution,
)
from rewards_service.crm.outcomes import outcome

_Place = tuple[Payer, datetime]


class _Fold:
    def __init__(
        self,
        leads: Iterable[LeadFacts],
        deals: Iterable[DealFacts],
        customers: Iterable[CustomerFacts],
    ):
        self.done = Resolution()
        # By e-mail key; what has none is kept but never looked for.
        self.leads: dict[str | None, list[LeadFacts]] = defaultdict(list)
        self.deals: dict[str | None, list[DealFacts]] = defaultdict(list)
        self.by_email: dict[str | None, list[Match]] = defaultdict(list)
        self.kept: dict[_Place, dict[str, object]] = defaultdict(dict)  # what is pinned came of it
        people = {customer.id: self._seed(customer) for customer in customers}
        for lead in sorted(leads, key=lambda item: (item.registered_at, item.id)):
            self.leads[lead.email_key].append(lead)
            if lead.pinned_customer_id in people:
                owner = people[lead.pinned_customer_id]
                self.done.converted[lead.id] = (owner, lead.pinned_at or lead.registered_at)
                self._keep(owner, lead.pinned_at, lead_id=lead.id)
            elif lead.superseder_id is not None:
                self.done.superseded[lead.id] = lead.superseder_id
        for deal in sorted(deals, key=lambda item: (item.registered_at, item.id)):
            self.deals[deal.email_key].append(deal)
            if deal.pinned_customer_id in people:
                owner = people[deal.pinned_customer_id]
                self.done.associated[deal.id] = (owner, deal.pinned_at or deal.registered_at)
                self._keep(owner, deal.pinned_at, deal_id=deal.id)

    def _seed(self, customer: CustomerFacts) -> Match:
        match = Match(
            customer.id, source_partner_id=customer.source_partner_id, pinned=customer.pinned
        )
        for payer in customer.payers:
            self._know(payer, match)
        self.by_email[customer.email_key].append(match)
        self._keep(match, customer.linked_at, linked_existing=True)
        return match

    def _keep(self, owner: Match, at: datetime | None, **found: object) -> None:
        """Let the payment that led to what is pinned go on saying so in its results."""
        if at is None:
            return
        for payer in owner.payers:
            kept = self.kept[(payer, at)]
            if "deal_id" in found:
                kept["deal_ids"] = [*kept.get("deal_ids", ()), found["deal_id"]]  # type: ignore[misc]
            else:
                kept.update(found)

    def _know(self, payer: Payer, match: Match) -> None:
        self.done.known[payer] = match
        match.payers.append(payer)

    def _link(self, claim: Claim, match: Match) -> Match:
        match.matched_at = claim.paid_at
        self._know(claim.payer, match)
        return match

    def _make(self, claim: Claim) -> Match:
        return self._link(claim, Match(None, made_by=claim))

    def apply(self, claim: Claim) -> None:
        known_before = claim.payer in self.done.known
        found = self.kept.pop((claim.payer, claim.paid_at), {})
        self.done.results[claim.event] = found
        key = claim.email_key
        if key and (known_before or not self._is_ambiguous(claim, key)):
            self._match(claim, key, found)
        self.done.outcomes[claim.event] = outcome(claim, self.done, self.deals[key], known_before)

    def _match(self, claim: Claim, key: str, found: dict[str, object]) -> None:
        lead = self._lead_step(claim, key, found) if claim.convert_lead else None
        if claim.payer not in self.done.known:
            self._email_step(claim, key, found)
        if claim.associate_deal:
            self._deal_step(claim, key, lead, found)

    def _is_ambiguous(self, claim: Claim, key: str) -> bool:
        """M6: several customers made by people share the e-mail: a person must choose."""
        candidates = self._unlinked(key)
        if len(candidates) < 2:
            return False
        ids = sorted(match.customer_id for match in candidates if match.customer_id is not None)
        self.done.conflicts.append(several_customers(claim, ids))
        return True

    def _unlinked(self, key: str) -> list[Match]:
        return [match for match in self.by_email[key] if not match.payers]

    # --- leads: M3, M4, M5 ---

    def _lead_step(self, claim: Claim, key: str, found: dict[str, object]) -> LeadFacts | None:
        if claim.payer in self.done.known:
            return None
        eligible = [
            lead
            for lead in self.leads[key]
            if lead.status in OPEN_LEADS
            and lead.registered_at <= claim.paid_at
            and lead.id not in self.done.converted
            and lead.id not in self.done.superseded
        ]
        if eligible:
            return self._convert(claim, key, eligible, found)
        taken = next((lead for lead in self.leads[key] if lead.id in self.done.converted), None)
        if taken is not None:
            self._already_converted(claim, taken, found)
        return None

    def _convert(
        self, claim: Claim, key: str, eligible: Sequence[LeadFacts], found: dict[str, object]
    ) -> LeadFacts:
        lead, *others = eligible
        unlinked = self._unlinked(key)
        match = self._link(claim, unlinked[0]) if unlinked else self._make(claim)
        if match.source_partner_id is None and lead.partner_id is not None:
            match.source_partner_id = lead.partner_id
            match.source_lead_id = lead.id
            match.attributed_from = lead.registered_at
        if lead.status == "pending":
            match.hold_reason = match.hold_reason or "lead_pending"
        self.done.converted[lead.id] = (match, claim.paid_at)
        found["lead_id"] = lead.id
        for other in others:
            self.done.superseded[other.id] = lead.id
        rivals = {other.partner_id for other in others} - {lead.partner_id, None}
        if rivals:
            self._partners_conflict(claim, match, lead, [other.id for other in others], [])
        return lead

    def _already_converted(self, claim: Claim, lead: LeadFacts, found: dict[str, object]) -> None:
        """M5: the customer of a converted lead gets the id, unless it has one of this site."""
        owner, _ = self.done.converted[lead.id]
        sites = {payer.integration_id for payer in owner.payers}
        if claim.payer.integration_id not in sites:
            self._link(claim, owner)
            found["linked_existing"] = True
            return
        self._make(claim)
        self.done.conflicts.append(other_chargebee_id(claim, lead, owner.payers))

    # --- customers that people made: M6 ---

    def _email_step(self, claim: Claim, key: str, found: dict[str, object]) -> None:
        unlinked = self._unlinked(key)
        if unlinked:
            self._link(claim, unlinked[0])
            found["linked_existing"] = True

    # --- deals: M7, M8, S1, S2 ---

    def _deal_step(
        self, claim: Claim, key: str, lead: LeadFacts | None, found: dict[str, object]
    ) -> None:
        deals = self.deals[key]
        eligible = [d for d in deals if d.stage in OPEN_DEALS and d.id not in self.done.associated]
        others = [d for d in deals if self._is_anothers(d, claim.payer)]
        self.done.conflicts += [late for deal in others if (late := late_for(deal, claim))]
        if not eligible:
            return
        match = self.done.known.get(claim.payer) or self._make(claim)
        for deal in eligible:
            self.done.associated[deal.id] = (match, claim.paid_at)
        found["deal_ids"] = [*found.get("deal_ids", ()), *(deal.id for deal in eligible)]  # type: ignore[misc]
        first = next((deal for deal in eligible if deal.partner_id is not None), None)
        if first is not None and match.source_partner_id is None and not match.pinned:
            match.source_partner_id = first.partner_id
            match.source_deal_id = first.id
            match.attributed_from = first.registered_at
        if lead is not None and first is not None and lead.partner_id is not None:
            # A deal entered after the sale does not make it doubtful whose sale it was.
            before = [deal for deal in eligible if deal.registered_at <= claim.paid_at]
            rivals = {deal.partner_id for deal in before} - {lead.partner_id, None}
            if rivals:
                self._partners_conflict(claim, match, lead, [], [deal.id for deal in before])

    def _is_anothers(self, deal: DealFacts, payer: Payer) -> bool:
        return (
            deal.id in self.done.associated and payer not in self.done.associated[deal.id][0].payers
        )

    def _partners_conflict(
        self, claim: Claim, match: Match, lead: LeadFacts, leads: list[int], deals: list[int]
    ) -> None:
        """Two partners, one customer: the first keeps it, its rewards wait for a person (S2)."""
        if not claim.first_wins:
            match.hold_reason = "conflict"
        self.done.conflicts.append(two_partners(lead, leads, deals))


def resolve(
    claims: Iterable[Claim],
    leads: Iterable[LeadFacts],
    deals: Iterable[DealFacts],
    customers: Iterable[CustomerFacts],
) -> Resolution:
    """Fold every claim, in the order of the payments, into what the books must say.

    All claims that share a payer or an e-mail key with one of them must be there, and all leads,
    deals and customers of those keys: the fold decides for the whole neighbourhood.
    """
    fold = _Fold(leads, deals, customers)
    for claim in sorted(claims, key=lambda item: item.place):
        fold.apply(claim)
    return fold.done
