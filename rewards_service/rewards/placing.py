"""Where an invoice stands under a rule that counts: its window, ordinal and position (pure)."""

from rewards_service.programs.rules import BASE_AMOUNT, GRADUATED, PRORATE, Terms, Tiers
from rewards_service.rewards import counting, measuring, serving
from rewards_service.rewards.counting import Place, Slot, Tally
from rewards_service.rewards.verdicts import Offer, Verdict


def slot_of(verdict: Verdict, offer: Offer) -> Slot:
    return verdict.key, offer.version.rule_id, offer.lead_id


def find_place(verdict: Verdict, offer: Offer, tally: Tally) -> None:
    """Find where the invoice stands under the rule, and whether the rule is over for it (A11)."""
    held = tally.places.get(slot_of(verdict, offer))
    day = measuring.day_of(offer.anchor.paid_at, offer)
    rule = offer.version.rule_id
    if held is not None and (held.counted_on == day or rule in verdict.settled_rules):
        offer.place = held
    else:
        offer.place = _new_place(verdict, offer, held, tally)
    terms, place = offer.version.terms, offer.place
    if held is None and _is_over(terms, place):
        offer.silent = "window_over"
    if terms.annual == PRORATE and terms.first_months is not None:
        _prorate(verdict, offer, place, terms.first_months)


def _is_over(terms: Terms, place: Place) -> bool:
    """Whether the invoice lies behind the months or payments that the rule rewards (A11)."""
    if terms.first_payments is not None and place.ordinal > terms.first_payments:
        return True
    steps = [one.payments for one in terms.rate_steps]
    if steps and None not in steps and place.ordinal > sum(n for n in steps if n is not None):
        return True
    months = terms.first_months
    return months is not None and counting.is_over(place.window_from_on, place.invoice_on, months)


def _prorate(verdict: Verdict, offer: Offer, place: Place, months: int) -> None:
    """Only the days of service within the window earn (A11)."""
    end_on = counting.add_months(place.window_from_on, months)
    if verdict.invoice is not None:
        offer.figures.served = serving.share(
            verdict.invoice, offer.version, place.window_from_on, end_on
        )
    if offer.figures.served == 0:
        offer.silent = "window_over"


def _new_place(verdict: Verdict, offer: Offer, held: Place | None, tally: Tally) -> Place:
    rule, customer = offer.version.rule_id, verdict.owner_id or 0
    counted_on = measuring.day_of(offer.anchor.paid_at, offer)
    invoiced_at = verdict.invoice.invoiced_at if verdict.invoice else None
    invoice_on = measuring.day_of(invoiced_at or offer.anchor.paid_at, offer)
    place = Place(
        verdict.log_id, customer, counted_on, invoice_on,
        tally.first_on(rule, customer, invoice_on),
        held.ordinal if held else tally.ordinal(rule, customer, verdict.key), 0,
    )  # fmt: skip
    return place._replace(position=_position(verdict, offer, place, tally))


def _position(verdict: Verdict, offer: Offer, place: Place, tally: Tally) -> int:
    """The metric that the rate follows: before the invoice, and for a slab with it (A9)."""
    tiers = offer.version.terms.tiers
    if tiers is None:
        return 0
    slot = slot_of(verdict, offer)
    period = counting.window(tiers.window, place.counted_on)
    if tiers.metric == BASE_AMOUNT:
        before = tally.measured(*offer.slot, verdict.currency, period)
        before -= tally.own(slot, period)
        first = next((s.amount for s in measuring.steps(verdict, offer) if s.amount), 0)
        return before if tiers.mode == GRADUATED else before + first
    return _customer_position(offer, place, tiers, period, tally)


def _customer_position(
    offer: Offer, place: Place, tiers: Tiers, period: counting.Period, tally: Tally
) -> int:
    """Which of the partner's new customers this is; for a slab, how many there are."""
    others = tally.members[(offer.version.rule_id, place.customer_id)]
    known = tally.measured(*offer.slot, "", period)
    if not others:
        return known + 1
    if tiers.mode == GRADUATED:
        return min(tally.places[slot].position for slot in others)
    return max(known, 1)


def count(verdict: Verdict, offer: Offer, place: Place, tally: Tally) -> None:
    """Freeze the place of an invoice that the rule rewards."""
    slot, tiers = slot_of(verdict, offer), offer.version.terms.tiers
    is_new = not tally.members[(slot[1], place.customer_id)]
    tally.count(slot, place)
    if is_new and tiers is not None and tiers.metric != BASE_AMOUNT:
        tally.measure(slot, "", counting.NEW_CUSTOMER, 1, place.log_id, place.counted_on)
