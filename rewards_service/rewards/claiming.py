"""What invoices claim of a rule's caps, in the order of the log (pure, DOMAIN A10, V10)."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from rewards_service.rewards import measuring
from rewards_service.rewards.counting import Claim, Slot, Tally
from rewards_service.rewards.placing import slot_of
from rewards_service.rewards.pricing import Priced, price
from rewards_service.rewards.verdicts import Offer, Verdict

CAP_REACHED = "cap_reached"


def priced(verdict: Verdict, offer: Offer, base: Fraction) -> Priced:
    """What the rule gives for a base, where the invoice stands."""
    position, ordinal = (offer.place.position, offer.place.ordinal) if offer.place else (0, 1)
    return price(offer.version, offer.figures, base, verdict.currency, position, ordinal)


class Claims:
    """The claims of a batch: each payment and refund claims anew, as if it had come alone."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._loaded = dict(tally.claims)
        self._made: dict[Slot, tuple[Verdict, Offer]] = {}

    def steps(self, verdict: Verdict, offer: Offer) -> list[tuple[int, Callable[[], None]]]:
        """(log id, claim) of each payment and refund of an offer under a rule with caps."""
        if not offer.version.terms.caps:
            return []
        bases = measuring.bases(verdict, offer)
        return [
            (moment.log_id, partial(self._step, verdict, offer, [b for _, b in bases], number))
            for number, (moment, _) in enumerate(bases)
        ]

    def _step(self, verdict: Verdict, offer: Offer, bases: list[Fraction], number: int) -> None:
        if offer.silent is not None or offer.place is None:
            return
        wishes = [priced(verdict, offer, base).amount_minor for base in bases]
        known = self._loaded.get(slot_of(verdict, offer))
        if known is None or number > _known_until(wishes, known):
            self._claim(verdict, offer, wishes[number])

    def _claim(self, verdict: Verdict, offer: Offer, wanted: int) -> None:
        slot, tally, place = slot_of(verdict, offer), self._tally, offer.place
        if place is None:
            return
        before = tally.claims.get(slot)
        offer.given_minor, cap = tally.claim(
            slot, verdict.currency, offer.version.terms.caps, wanted, place
        )
        offer.capped_by = None if cap is None else f"{cap.scope}, {cap.window}"
        offer.cap_limit_minor = None if cap is None else cap.amounts.get(verdict.currency)
        self._made[slot] = verdict, offer
        if before is not None and offer.given_minor < before.given_minor:
            self._give_room(slot)

    def _give_room(self, by: Slot) -> None:
        """What one gives back goes to those of the batch who wanted more, in their order."""
        for slot, (verdict, offer) in list(self._made.items()):
            held = self._tally.claims[slot]
            if slot[1] == by[1] and slot != by and held.given_minor < held.wanted_minor:
                self._claim(verdict, offer, held.wanted_minor)

    def last(self, verdict: Verdict, offer: Offer) -> None:
        """Claim what the offer comes to in the end."""
        if offer.version.terms.caps:
            self._claim(verdict, offer, offer.priced.amount_minor)

    def finish(self) -> None:
        """Say of each offer what became of its claim, once all have claimed."""
        for slot, (_, offer) in self._made.items():
            before, wanted = self._loaded.get(slot), offer.priced.amount_minor
            if before is not None and wanted <= before.wanted_minor:
                offer.released = offer.given_minor > before.given_minor
            if offer.given_minor == 0 and wanted:
                offer.silent = CAP_REACHED


def _known_until(wishes: list[int], known: Claim) -> int:
    """Up to which step an earlier batch has claimed; beyond the last where it cannot be told."""
    same = [number for number, wish in enumerate(wishes) if wish == known.wanted_minor]
    return max(same, default=len(wishes))
