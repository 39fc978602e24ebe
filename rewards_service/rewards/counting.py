"""Counters of rules: which window a payment falls into, what was counted before it (pure).

Counters follow the order of the log (DOMAIN V10): whoever asks does so in the order in which the
log brought payments and refunds. Sums are kept by day, so that any window is a sum over its days.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from rewards_service.programs.rules import CUSTOMER, LIFETIME, MONTH, PARTNER, ROLLING, Cap

NEW_CUSTOMER = "customer"  # source of the count of customers, which has no currency
Days = dict[date, int]
Key = tuple[int, str]  # (integration, Chargebee invoice)
Slot = tuple[Key, int, int]  # (invoice, rule, partner)
Scope = tuple[int, str, str, int]  # (rule, currency, kind of scope, its member)


class Period(NamedTuple):
    """Days from `first` to `last`, both counted."""

    first: date
    last: date

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


def window(name: str, day: date) -> Period:
    """The window that a day lies in, or looks back on (A9)."""
    if name == LIFETIME:
        return Period(date.min, date.max)
    if name == MONTH:
        return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))
    return Period(add_months(day, -12) + timedelta(days=1), day)


def reached_from(name: str, day: date) -> Period:
    """The days whose window holds a day: what changes there changes what they count."""
    return Period(day, add_months(day, 12)) if name == ROLLING else window(name, day)


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the end of the month where there is no such day (A11)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class Place(NamedTuple):
    """Where an invoice stands under a rule that counts; frozen when its first payment earns.

    `ordinal`: its place among the customer's rewarded invoices; `window_from_on`: the first of
    their dates; `position`: what the metric counted, of which its rate follows (A9, A11, A12).
    """

    log_id: int
    customer_id: int
    counted_on: date
    invoice_on: date
    window_from_on: date
    ordinal: int
    position: int


class Claim(NamedTuple):
    """What an invoice wants of a rule's caps, and what it was given, minor units (A10)."""

    wanted_minor: int
    given_minor: int
    counted_on: date


class Measured(NamedTuple):
    """A difference to add to a metric."""

    slot: Slot
    currency: str
    source: str
    log_id: int
    day: date
    amount: int


def _nothing(_scope: Scope) -> Days:
    return {}


@dataclass(slots=True)
class Tally:
    """What was counted so far, and what changed since it was loaded.

    `load` answers what others were given in a scope, by day, as of loading.
    """

    load: Callable[[Scope], Days] = _nothing
    kinds: dict[int, set[str]] = field(default_factory=dict)  # rule -> scopes its caps ever had
    places: dict[Slot, Place] = field(default_factory=dict)
    members: dict[tuple[int, int], dict[Slot, date]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # (rule, customer) -> rewarded invoices with their dates
    metrics: dict[tuple[int, int, str], Days] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )  # (rule, partner, currency) -> by day
    sources: dict[Slot, dict[str, Days]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    )  # what each source added to the metric, by day
    claims: dict[Slot, Claim] = field(default_factory=dict)
    scopes: dict[Scope, Days] = field(default_factory=dict)
    changed: set[Slot] = field(default_factory=set)  # slots whose place or claim is to be stored
    entries: list[Measured] = field(default_factory=list)
    freed: set[Scope] = field(default_factory=set)  # where a cap has room again
    restated: set[tuple[int, int, Period]] = field(default_factory=set)  # rule, partner, window

    def ordinal(self, rule_id: int, customer_id: int, key: Key) -> int:
        """The place of an invoice among those of the customer, each counted once (A11)."""
        return len({slot[0] for slot in self.members[(rule_id, customer_id)]} - {key}) + 1

    def first_on(self, rule_id: int, customer_id: int, invoice_on: date) -> date:
        """The earliest invoice date of the customer under the rule, with this invoice (A11)."""
        return min([invoice_on, *self.members[(rule_id, customer_id)].values()])

    def measured(self, rule_id: int, partner_id: int, currency: str, period: Period) -> int:
        """What the metric counted within a period."""
        days = self.metrics[(rule_id, partner_id, currency)]
        return sum(amount for day, amount in days.items() if period.has(day))

    def own(self, slot: Slot, period: Period) -> int:
        """What an invoice itself added to the metric within a period."""
        found = (pair for days in self.sources[slot].values() for pair in days.items())
        return sum(amount for day, amount in found if period.has(day))

    def count(self, slot: Slot, place: Place) -> None:
        """Freeze the place of an invoice."""
        if self.places.get(slot) != place:
            self.changed.add(slot)
        self.places[slot] = place
        self.members[(slot[1], place.customer_id)][slot] = place.invoice_on

    def measure(
        self, slot: Slot, currency: str, source: str, wanted: int, log_id: int, day: date
    ) -> int:
        """Bring what a source adds to the metric to `wanted`. Returns the difference."""
        difference = wanted - sum(self.sources[slot][source].values())
        if difference:
            self._add(Measured(slot, currency, source, log_id, day, difference))
        return difference

    def withdraw(self, slot: Slot, currency: str, source: str, log_id: int) -> list[date]:
        """Take back what a source added, on the days it did. Returns them."""
        days = [(day, amount) for day, amount in self.sources[slot][source].items() if amount]
        for day, amount in days:
            self._add(Measured(slot, currency, source, log_id, day, -amount))
        return [day for day, _ in days]

    def _add(self, entry: Measured) -> None:
        self.sources[entry.slot][entry.source][entry.day] += entry.amount
        self.metrics[(*entry.slot[1:], entry.currency)][entry.day] += entry.amount
        self.entries.append(entry)

    def claim(
        self, slot: Slot, currency: str, caps: Sequence[Cap], wanted: int, place: Place
    ) -> tuple[int, Cap | None]:
        """(what the caps give of `wanted`, the cap that kept something back).

        Nothing that was given is taken away again but by a lower wish, or where the invoice now
        counts in a window that others have filled (A10).
        """
        before = self.claims.get(slot, Claim(0, 0, place.counted_on))
        given, by = wanted, None
        for cap in caps:
            limit = cap.amounts.get(currency)
            if limit is None:
                continue
            stays = window(cap.window, place.counted_on).has(before.counted_on)
            scope = scope_of(slot, currency, cap.scope, place)
            room = limit - self._taken(scope, cap.window, place.counted_on, before)
            least = max(room, before.given_minor if stays else 0, 0)
            if least < given:
                given, by = least, cap
        self._give(slot, currency, Claim(wanted, given, place.counted_on), place)
        return given, by

    def _taken(self, scope: Scope, name: str, day: date, own: Claim) -> int:
        """The most that others were given in a window that a day counts in.

        A day that the log brings late also counts in windows that look back on it from later days.
        """
        days = {**self._days(scope)}
        days[own.counted_on] = days.get(own.counted_on, 0) - own.given_minor
        ends = {day}
        if name == ROLLING:
            ends |= {end for end in days if end > day and window(name, end).has(day)}
        return max(
            sum(amount for one, amount in days.items() if period.has(one))
            for period in (window(name, end) for end in ends)
        )

    def _days(self, scope: Scope) -> Days:
        if scope not in self.scopes:
            self.scopes[scope] = dict(self.load(scope))
        return self.scopes[scope]

    def _give(self, slot: Slot, currency: str, claim: Claim, place: Place) -> None:
        before = self.claims.get(slot, Claim(0, 0, claim.counted_on))
        if claim == before and slot in self.claims:
            return
        for kind in sorted(self.kinds.get(slot[1], ())):
            scope = scope_of(slot, currency, kind, place)
            days = self._days(scope)
            days[before.counted_on] = days.get(before.counted_on, 0) - before.given_minor
            days[claim.counted_on] = days.get(claim.counted_on, 0) + claim.given_minor
            if claim.given_minor < before.given_minor or claim.counted_on != before.counted_on:
                self.freed.add(scope)
        self.claims[slot] = claim
        self.changed.add(slot)

    def release(self, slot: Slot, currency: str) -> None:
        """An invoice that earns nothing under a rule any more gives back what it counted."""
        place = self.places.get(slot)
        if place is None:
            return
        for source in list(self.sources[slot]):
            unit = "" if source == NEW_CUSTOMER else currency
            self.withdraw(slot, unit, source, place.log_id)
        if slot in self.claims:
            self._give(slot, currency, Claim(0, 0, place.counted_on), place)


def scope_of(slot: Slot, currency: str, kind: str, place: Place) -> Scope:
    """The scope that an invoice's reward falls into under a cap of this kind."""
    members = {CUSTOMER: place.customer_id, PARTNER: slot[2]}
    return slot[1], currency, kind, members.get(kind, 0)


def is_over(first_on: date, invoice_on: date, months: int) -> bool:
    """Whether an invoice lies behind [first_on, first_on + months) (A11)."""
    return invoice_on >= add_months(first_on, months)
