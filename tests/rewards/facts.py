"""What can be known about invoices and their money, as versions of objects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Line(NamedTuple):
    amount: int
    discount: int
    tax: int


class Invoice(NamedTuple):
    id: str
    inclusive: bool  # whether line amounts hold their tax
    lines: tuple[Line, ...]
    write_off: int = 0
    voided: bool = False

    @property
    def total(self) -> int:
        before_tax = sum(line.amount - line.discount for line in self.lines)
        return before_tax + (0 if self.inclusive else sum(line.tax for line in self.lines))


class Payment(NamedTuple):
    id: str
    day: int
    amount: int
    applied: Mapping[str, int]
    status: str = "success"


class Refund(NamedTuple):
    id: str
    payment: str
    amount: int
    notes: Mapping[str, int]  # what its credit notes say, by invoice
    way: str = "refund"  # or chargeback, payment_reversal
    status: str = "success"


class Note(NamedTuple):
    """An adjustment credit note."""

    id: str
    invoice: str
    day: int
    net: int
    tax: int
    voided: bool = False


Thing = Invoice | Payment | Refund | Note


class Rule(NamedTuple):
    rate_millionths: int | None
    flat: Mapping[str, int] | None
    base: str
    rounding: str


@dataclass(slots=True)
class State:
    """The newest snapshot of each object that is known."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Iterable[tuple[int, Thing]]) -> "State":
        """From snapshots with their place in time, in any order."""
        state = cls()
        for _, thing in sorted(known, key=lambda pair: pair[0]):
            state.put(thing)
        return state

    def put(self, thing: Thing) -> None:
        if isinstance(thing, Invoice):
            self.invoices[thing.id] = thing
        elif isinstance(thing, Payment):
            self.payments[thing.id] = thing
        elif isinstance(thing, Refund):
            self.refunds[thing.id] = thing
        else:
            self.notes[thing.id] = thing

    def refunded(self, payment: str) -> int:
        mine = (r for r in self.refunds.values() if r.payment == payment)
        return sum(r.amount for r in mine if r.status in ("success", "in_progress"))
