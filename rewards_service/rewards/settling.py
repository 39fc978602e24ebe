"""From offers to targets: counters in the order of the log, stack groups, caps, split (pure).

The order of operations is that of DOMAIN A6: eligible lines, base, tier rate, minimum and maximum
of a reward, caps, one rounding, split.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial

from rewards_service.kit.money import split
from rewards_service.programs.rules import BASE_AMOUNT
from rewards_service.rewards import counting, measuring, placing, selecting
from rewards_service.rewards.claiming import CAP_REACHED, Claims, priced
from rewards_service.rewards.counting import NEW_CUSTOMER, Key, Slot, Tally
from rewards_service.rewards.placing import slot_of
from rewards_service.rewards.pricing import is_below_minimum, prices_in
from rewards_service.rewards.verdicts import Offer, Target, Verdict

UNAPPLIED = "unapplied_payment"
NO_CHANGE = "no_change"
_OPEN, _MEASURE, _CLAIM = 0, 1, 2
_Step = tuple[int, int, int, Callable[[], None]]  # log id, verdict, kind, what happens


def settle(verdicts: Iterable[Verdict], tally: Tally) -> None:
    """Work out targets and reasons. Counted offers are gone through as the log brought them."""
    some = sorted(verdicts, key=lambda one: (one.cause_log_id, one.log_id, one.key))
    steps: list[_Step] = []
    claims = Claims(tally)
    for number, verdict in enumerate(some):
        for offer in verdict.offers:
            offer.silent = _why_silent(verdict, offer)
        steps += _steps(verdict, number, tally, claims)
    for *_, act in sorted(steps, key=lambda step: (some[step[1]].cause_log_id, *step[:3])):
        act()
    _release_others(some, tally)
    for verdict in some:
        for offer in verdict.offers:
            _price(verdict, offer, tally, claims)
    claims.finish()
    for verdict in some:
        _make_targets(verdict)
        _give_reasons(verdict)


def _steps(verdict: Verdict, number: int, tally: Tally, claims: Claims) -> list[_Step]:
    found: list[_Step] = [(verdict.log_id, number, _OPEN, partial(_open, verdict, tally))]
    for offer in verdict.offers:
        if offer.silent is None:
            found += _measures(verdict, offer, number, tally)
            claimed = claims.steps(verdict, offer)
            found += [(log_id, number, _CLAIM, act) for log_id, act in claimed]
    return found


def _is_measured(offer: Offer) -> bool:
    tiers = offer.version.terms.tiers
    return tiers is not None and tiers.metric == BASE_AMOUNT


def _why_silent(verdict: Verdict, offer: Offer) -> str | None:
    """Why an offer pays nothing, whatever was counted before; None when it may pay."""
    version, figures = offer.version, offer.figures
    invoice = verdict.invoice
    if invoice is None or (
        # A customer that moves away takes nothing with it that was earned before (A12).
        version.rule_id not in verdict.chosen_rules
        and not selecting.meets(version.terms.conditions, invoice, invoice.country)
    ):
        return selecting.CONDITION
    if figures.eligible_minor <= 0:
        return "not_eligible_lines"
    if not prices_in(version, verdict.currency):
        return "no_amount_for_currency"
    return "below_minimum" if is_below_minimum(version, figures, verdict.currency) else None


def _measures(verdict: Verdict, offer: Offer, number: int, tally: Tally) -> list[_Step]:
    if not _is_measured(offer):
        return []
    steps = measuring.steps(verdict, offer)
    gone = partial(_withdraw, verdict, offer, {step.source for step in steps}, tally)
    found: list[_Step] = [(verdict.refund_log_id, number, _MEASURE, gone)]
    return found + [
        (step.log_id, number, _MEASURE, partial(_measure, verdict, offer, step, tally))
        for step in steps
    ]


def _withdraw(verdict: Verdict, offer: Offer, sources: set[str], tally: Tally) -> None:
    """What was counted and is not there any more never was: a refund that failed in the end."""
    slot = slot_of(verdict, offer)
    for source in [s for s in tally.sources[slot] if s not in sources and s != NEW_CUSTOMER]:
        for day in tally.withdraw(slot, verdict.currency, source, verdict.refund_log_id):
            _note_restated(offer, day, tally)


def _note_restated(offer: Offer, day: date, tally: Tally) -> None:
    tiers = offer.version.terms.tiers
    if tiers is not None and tiers.restate:
        tally.restated.add((*offer.slot, counting.reached_from(tiers.window, day)))


def _measure(verdict: Verdict, offer: Offer, step: measuring.Step, tally: Tally) -> None:
    tiers = offer.version.terms.tiers
    if offer.silent is not None or offer.place is None or tiers is None:
        return
    difference = tally.measure(
        slot_of(verdict, offer), verdict.currency, step.source, step.amount,
        step.log_id, step.day,
    )  # fmt: skip
    if difference:
        _note_restated(offer, step.day, tally)


def _open(verdict: Verdict, tally: Tally) -> None:
    """Give the invoice its place under each rule that counts, then let the best rules win."""
    for offer in verdict.offers:
        if offer.silent is None and offer.version.terms.counts:
            placing.find_place(verdict, offer, tally)
        if offer.silent is None and _pays_nothing(verdict, offer):
            offer.silent = NO_CHANGE
    able = [offer for offer in verdict.offers if offer.silent is None]
    losers = selecting.outranked((offer.version for offer in able), verdict.chosen_rules)
    for offer in able:
        if offer.version.rule_id in losers:
            offer.silent = selecting.OUTRANKED
        elif offer.place is not None:
            placing.count(verdict, offer, offer.place, tally)


def _pays_nothing(verdict: Verdict, offer: Offer) -> bool:
    return priced(verdict, offer, offer.figures.gross_base).amount_minor == 0


def _release_others(verdicts: Iterable[Verdict], tally: Tally) -> None:
    """Rules that speak no more for an invoice give back what they had counted."""
    placed: dict[Key, list[Slot]] = defaultdict(list)
    for slot in tally.places:
        placed[slot[0]].append(slot)
    for verdict in verdicts:
        wanted = {slot_of(verdict, offer) for offer in verdict.offers if offer.silent is None}
        for slot in placed[verdict.key]:
            if slot not in wanted:
                tally.release(slot, verdict.currency)


def _price(verdict: Verdict, offer: Offer, tally: Tally, claims: Claims) -> None:
    """The whole target: rounded once, within the reward's maximum and the caps (A5, A10)."""
    if offer.silent is not None:
        return
    tiers = offer.version.terms.tiers
    if tiers is not None and tiers.restate and offer.place is not None:
        period = counting.window(tiers.window, offer.place.counted_on)
        total = tally.measured(*offer.slot, verdict.currency, period)
        offer.place = offer.place._replace(position=total)
        tally.count(slot_of(verdict, offer), offer.place)
    offer.priced = priced(verdict, offer, offer.figures.base)
    offer.given_minor = offer.priced.amount_minor
    claims.last(verdict, offer)


def _make_targets(verdict: Verdict) -> None:
    for offer in verdict.offers:
        if offer.silent is not None:
            verdict.silence(offer.version.rule_id, offer.silent)
        if offer.silent in (None, CAP_REACHED) or _was_rewarded(verdict, offer):
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
