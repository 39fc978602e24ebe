"""From offers to targets: counters in the order of the log, stack groups, caps, split (pure).

The order of operations is that of DOMAIN A6: eligible lines, base, tier rate, minimum and maximum
of a reward, caps, one rounding, split.
"""

from collections.abc import Callable, Iterable
from functools import partial

from rewards_service.kit.money import split
from rewards_service.programs.rules import BASE_AMOUNT
from rewards_service.rewards import counting, measuring, placing, selecting
from rewards_service.rewards.counting import Place, Tally
from rewards_service.rewards.placing import slot_of
from rewards_service.rewards.pricing import Priced, is_below_minimum, price, prices_in
from rewards_service.rewards.verdicts import Offer, Target, Verdict

UNAPPLIED = "unapplied_payment"
NO_CHANGE = "no_change"
_OPEN, _MEASURE = 0, 1


def settle(verdicts: Iterable[Verdict], tally: Tally) -> None:
    """Work out targets and reasons. Counted offers are gone through as the log brought them."""
    some = sorted(verdicts, key=lambda verdict: (verdict.log_id, verdict.key))
    steps: list[tuple[int, int, int, Callable[[], None]]] = []
    for number, verdict in enumerate(some):
        for offer in verdict.offers:
            offer.silent = _why_silent(verdict, offer)
        steps.append((verdict.log_id, number, _OPEN, partial(_open, verdict, tally)))
        for offer in verdict.offers:
            if offer.silent is None and _is_measured(offer):
                steps += _measures(verdict, offer, number, tally)
    for *_, act in sorted(steps, key=lambda step: step[:3]):
        act()
    for verdict in some:
        _release_others(verdict, tally)
        for offer in verdict.offers:
            _price(verdict, offer, tally)
        _make_targets(verdict)
        _give_reasons(verdict)


def _is_measured(offer: Offer) -> bool:
    tiers = offer.version.terms.tiers
    return tiers is not None and tiers.metric == BASE_AMOUNT


def _why_silent(verdict: Verdict, offer: Offer) -> str | None:
    """Why an offer pays nothing, whatever was counted before; None when it may pay."""
    version, figures = offer.version, offer.figures
    invoice = verdict.invoice
    if invoice is None or not selecting.meets(version.terms.conditions, invoice, invoice.country):
        return selecting.CONDITION
    if figures.eligible_minor <= 0:
        return "not_eligible_lines"
    if not prices_in(version, verdict.currency):
        return "no_amount_for_currency"
    return "below_minimum" if is_below_minimum(version, figures, verdict.currency) else None


def _measures(
    verdict: Verdict, offer: Offer, number: int, tally: Tally
) -> list[tuple[int, int, int, Callable[[], None]]]:
    return [
        (step.log_id, number, _MEASURE, partial(_measure, verdict, offer, step, tally))
        for step in measuring.steps(verdict, offer)
    ]


def _measure(verdict: Verdict, offer: Offer, step: measuring.Step, tally: Tally) -> None:
    tiers = offer.version.terms.tiers
    if offer.silent is not None or offer.place is None or tiers is None:
        return
    difference = tally.measure(
        slot_of(verdict, offer), verdict.currency, step.source, step.amount,
        verdict.log_id if step.source == measuring.REST else step.log_id, step.day,
    )  # fmt: skip
    if difference and tiers.restate:
        period = counting.window(tiers.window, step.day)
        tally.restated.add((*offer.slot, period))


def _open(verdict: Verdict, tally: Tally) -> None:
    """Give the invoice its place under each rule that counts, then let the best rules win."""
    for offer in verdict.offers:
        if offer.silent is None and offer.version.terms.counts:
            placing.find_place(verdict, offer, tally)
        if offer.silent is None and _gross(verdict, offer).amount_minor == 0:
            offer.silent = NO_CHANGE
    able = [offer for offer in verdict.offers if offer.silent is None]
    losers = selecting.outranked((offer.version for offer in able), verdict.chosen_rules)
    for offer in able:
        if offer.version.rule_id in losers:
            offer.silent = selecting.OUTRANKED
        elif offer.place is not None:
            placing.count(verdict, offer, offer.place, tally)


def _gross(verdict: Verdict, offer: Offer) -> Priced:
    return _priced(verdict, offer, gross=True)


def _priced(verdict: Verdict, offer: Offer, gross: bool = False) -> Priced:
    base = offer.figures.gross_base if gross else offer.figures.base
    position, ordinal = (offer.place.position, offer.place.ordinal) if offer.place else (0, 1)
    return price(offer.version, offer.figures, base, verdict.currency, position, ordinal)


def _release_others(verdict: Verdict, tally: Tally) -> None:
    """Rules that speak no more for the invoice give back what they had counted."""
    wanted = {slot_of(verdict, offer) for offer in verdict.offers if offer.silent is None}
    for slot in [s for s in tally.places if s[0] == verdict.key and s not in wanted]:
        tally.release(slot, verdict.currency)


def _price(verdict: Verdict, offer: Offer, tally: Tally) -> None:
    """The whole target: rounded once, within the reward's maximum and the caps (A5, A10)."""
    if offer.silent is not None:
        return
    tiers = offer.version.terms.tiers
    if tiers is not None and tiers.restate and offer.place is not None:
        period = counting.window(tiers.window, offer.place.counted_on)
        total = tally.measured(*offer.slot, verdict.currency, period)
        offer.place = offer.place._replace(position=total)
        tally.count(slot_of(verdict, offer), offer.place)
    offer.priced = _priced(verdict, offer)
    offer.given_minor = offer.priced.amount_minor
    if offer.version.terms.caps and offer.place is not None:
        _claim(verdict, offer, offer.place, tally)


def _claim(verdict: Verdict, offer: Offer, place: Place, tally: Tally) -> None:
    slot, wanted = slot_of(verdict, offer), offer.priced.amount_minor
    before = tally.claims.get(slot)
    caps = offer.version.terms.caps
    offer.given_minor, cap = tally.claim(slot, verdict.currency, caps, wanted, place)
    if cap is not None:
        offer.capped_by = f"{cap.scope}, {cap.window}"
    if before is not None and wanted <= before.wanted_minor:
        offer.released = offer.given_minor > before.given_minor
    if offer.given_minor == 0 and _gross(verdict, offer).amount_minor and wanted:
        offer.silent = "cap_reached"


def _make_targets(verdict: Verdict) -> None:
    for offer in verdict.offers:
        if offer.silent not in (None, "cap_reached"):
            verdict.silence(offer.version.rule_id, offer.silent or "")
            if not _was_rewarded(verdict, offer):
                continue
        if offer.silent == "cap_reached":
            verdict.silence(offer.version.rule_id, "cap_reached")
        verdict.targets += _split(offer)


def _was_rewarded(verdict: Verdict, offer: Offer) -> bool:
    """A rule that fell silent after it had paid keeps a target of nothing, and its explanation."""
    return offer.version.rule_id in verdict.chosen_rules


def _split(offer: Offer) -> list[Target]:
    """Shares of the whole target by largest remainder; then each partner's difference (A6)."""
    ordered = sorted(offer.everyone)
    parts = split(offer.given_minor, [payee.basis_points for payee in ordered])
    paid = {payee.partner_id for payee in offer.payees}
    return [
        Target(
            offer.version, payee.partner_id, payee.basis_points, part, offer.given_minor,
            offer.figures.base, offer,
        )
        for payee, part in zip(ordered, parts, strict=True)
        if payee.partner_id in paid
    ]  # fmt: skip


def _give_reasons(verdict: Verdict) -> None:
    """Why each payment earned nothing; None when some rule pays for it (V11)."""
    if verdict.invoice is None:
        return
    site, general = verdict.key[0], _nothing_at_all(verdict)
    voided = UNAPPLIED if verdict.invoice.voided else None
    for payment in verdict.payments:
        if payment.credit_note_id is not None or not payment.applied.get(verdict.key[1], 0):
            continue
        inactive = "partner_inactive" if payment.payment_id in verdict.inactive else None
        reason = payment.barred or inactive or voided or general
        verdict.reasons[(site, payment.payment_id)] = reason


def _nothing_at_all(verdict: Verdict) -> str | None:
    if any(offer.silent is None for offer in verdict.offers):
        return None
    reasons = [reason for _, reason in sorted(verdict.skipped.items())]
    known = [reason for reason in reasons if reason not in _DETAILS]
    return known[0] if known else "no_rule"


# Reasons that only explanations tell; a payment that earns nothing for them has no rule.
_DETAILS = (selecting.OUTRANKED, selecting.CONDITION)
