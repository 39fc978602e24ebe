"""What is true in a sequence of the money machine, and what must be earned by it: no service code.

The arithmetic is that of tests/rewards/reference.py, fractions written from the rules alone. Where
payments of one invoice fall under different versions of a rule, any one of them may govern it, but
only one (DOMAIN A12).
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.builders.chargebee import Json
from tests.rewards import reference
from tests.rewards.facts import Invoice, Payment, Rule, State, Thing
from tests.rewards.histories import History
from tests.rewards.history_events import event_of

NOBODY = Rule(None, {}, "net", "half_even")


@dataclass(slots=True)
class Payer:
    """Somebody who pays, by which partners' merit: `partners` in the order of their keys."""

    history: History
    partners: tuple[int, ...]

    @property
    def id(self) -> str:
        return f"cb_{self.history.number}"


@dataclass(slots=True)
class Told:
    """An event, and what it tells: objects as they stood at their places in time."""

    body: Json
    things: list[tuple[int, Thing]]
    payment: str | None  # whose payment_succeeded it is


Slot = tuple[str, int, int]  # (invoice, rule, partner)


@dataclass(slots=True)
class Model:
    """Everything that happened (`payers`), and the part of it that was told (`known`)."""

    payers: list[Payer] = field(default_factory=list)
    place: int = 0
    versions: dict[int, list[tuple[int, int, Rule]]] = field(default_factory=dict)
    statuses: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    known: dict[str, list[tuple[int, Thing]]] = field(default_factory=dict)
    succeeded: set[str] = field(default_factory=set)

    def happen(self, payer: Payer, thing: Thing) -> Told:
        """Write an object's new version into history; the event that tells it."""
        self.place += 1
        payer.history.snapshots.append((self.place, thing))
        things = [(self.place, thing)]
        if not isinstance(thing, Payment):
            return Told(event_of(payer.history, self.place, thing), things, None)
        shown = sorted(thing.applied)[0]
        snapshots = payer.history.snapshots
        things.append(max(pair for pair in snapshots if pair[1].id == shown))
        body = event_of(payer.history, self.place, thing)
        return Told(body, things, thing.id if body["event_type"] == "payment_succeeded" else None)

    def issue(self, payer: Payer, invoice: Invoice) -> None:
        """An invoice that nobody tells of by itself: its payments carry it."""
        self.place += 1
        payer.history.snapshots.append((self.place, invoice))

    def hear(self, payer: Payer, told: Told) -> None:
        self.known.setdefault(payer.id, []).extend(told.things)
        if told.payment is not None:
            self.succeeded.add(told.payment)

    def add_version(self, rule: int, version: int, since: int, terms: Rule) -> None:
        self.versions.setdefault(rule, []).append((since, version, terms))

    def truth(self, payer: Payer) -> State:
        """All that happened to a payer, told or not."""
        return State.of(payer.history.snapshots)

    def heard(self, payer: Payer) -> State:
        """What the service can know: payments only once their success was told."""
        state = State.of(self.known.get(payer.id, []))
        payments = {key: p for key, p in state.payments.items() if key in self.succeeded}
        return replace(state, payments=payments)

    def expected(self) -> Iterator[tuple[Slot, dict[int, int]]]:
        """(slot, rule version -> what the partner must have if that version governs)."""
        for payer in self.payers:
            state = self.heard(payer)
            for invoice in state.invoices.values():
                yield from self._expected_of(payer, state, invoice)

    def _expected_of(
        self, payer: Payer, state: State, invoice: Invoice
    ) -> Iterator[tuple[Slot, dict[int, int]]]:
        may_earn = {key: p for key, p in state.payments.items() if self._earns(payer, p)}
        paying = [p for p in may_earn.values() if p.applied.get(invoice.id, 0) > 0]
        state = replace(state, payments=may_earn)
        for rule in self.versions:
            wanted: list[dict[int, int]] = [{} for _ in payer.partners]
            for version, terms in dict(self._governing(rule, p.day) for p in paying).items():
                whole = reference.expected_whole(terms, payer.history.currency, state, invoice)
                for place, part in enumerate(reference.split(whole, payer.history.shares)):
                    wanted[place][version] = part
            for partner, by_version in zip(payer.partners, wanted, strict=True):
                yield (invoice.id, rule, partner), by_version

    def _governing(self, rule: int, day: int) -> tuple[int, Rule]:
        in_force = [(version, terms) for since, version, terms in self.versions[rule]
                    if since <= day]  # fmt: skip
        return in_force[-1] if in_force else (0, NOBODY)

    def _earns(self, payer: Payer, payment: Payment) -> bool:
        return any(self._status(partner, payment.day) == "active" for partner in payer.partners)

    def _status(self, partner: int, day: int) -> str:
        changes = self.statuses.get(partner, [])
        place = bisect_right([since for since, _ in changes], day)
        return changes[place - 1][1] if place else "active"
