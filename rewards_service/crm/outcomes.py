"""How a payment ends when no transaction is wanted of it (pure): DOMAIN M12, V11."""

from collections.abc import Iterable

from rewards_service.crm.matching import Claim, DealFacts, Payer, Resolution


def outcome(claim: Claim, done: Resolution, deals: Iterable[DealFacts], known_before: bool) -> str:
    """What the steps that ran for this claim found, the first that found something winning.

    `deals`: all deals of the claim's e-mail; `known_before`: its payer was known already.
    """
    found = done.results[claim.event]
    if "lead_id" in found:
        return "converted"
    if "deal_ids" in found or "linked_existing" in found:
        return "associated"
    if known_before:
        return _of_known(claim, done, deals)
    if claim.payer in done.known:
        return "no_change"
    if claim.email_key is None:
        return "no_email"
    return "no_lead" if claim.convert_lead else "no_deal"


def _of_known(claim: Claim, done: Resolution, deals: Iterable[DealFacts]) -> str:
    """A known payer: only the deal step may run, and may have run before."""
    only_deals = claim.associate_deal and not claim.convert_lead and claim.email_key is not None
    has_deal = any(_belongs(deal, claim.payer, done) for deal in deals)
    return "no_deal" if only_deals and not has_deal else "no_change"


def _belongs(deal: DealFacts, payer: Payer, done: Resolution) -> bool:
    owner = done.associated.get(deal.id)
    return owner is not None and payer in owner[0].payers
