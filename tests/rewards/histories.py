"""Random histories of invoices: what was issued, paid, taken back, corrected, in which order.

A history is a list of snapshots, oldest first: each is one object as a version of it stood. What
is true at the end is the newest snapshot of each object, in whatever order they become known.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.rewards.facts import Invoice, Line, Note, Payment, Refund, Rule, State, Thing

CURRENCIES = ("USD", "EUR", "JPY", "KWD")


@dataclass(slots=True)
class History:
    number: int
    currency: str
    rule: Rule
    shares: tuple[int, ...]  # basis points, by partner
    snapshots: list[tuple[int, Thing]]
    paid_at: int  # how many of the first snapshots are invoices and payments only
    fully_paid: bool
    ends_refunded: bool

    @property
    def end(self) -> State:
        return State.of(self.snapshots)


class _Writer:
    """Writes one history, step after step, each possible after what came before."""

    def __init__(self, number: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.number = number
        self.state = State()
        self.log: list[tuple[int, Thing]] = []
        self.made = 0

    def add(self, thing: Thing) -> None:
        self.state.put(thing)
        self.log.append((len(self.log), thing))

    def name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}_{self.number}_{self.made}"

    def size(self) -> int:
        return self.random.choice((7, 99, 1_000, 25_000, 1_000_000, 10**12))

    def issue(self) -> None:
        inclusive = self.random.random() < 0.4
        size = self.size()
        lines = tuple(self.line(size, inclusive) for _ in range(self.random.randint(1, 4)))
        self.add(Invoice(self.name("inv"), inclusive, lines))

    def line(self, size: int, inclusive: bool) -> Line:
        amount = self.random.randint(0, size)
        discount = self.random.choice((0, 0, self.random.randint(0, amount)))
        rate = self.random.choice((0, 7, 19, 20, 25))
        left = amount - discount
        tax = left * rate // (100 + rate) if inclusive else left * rate // 100
        return Line(amount, discount, tax)

    def due(self, invoice: Invoice) -> int:
        paid = sum(p.applied.get(invoice.id, 0) for p in self.state.payments.values())
        return invoice.total - paid

    def pay(self, last: bool) -> None:
        """One payment over one or more invoices; the last may pay all that is due."""
        open_ones = [i for i in self.state.invoices.values() if self.due(i) > 0]
        if not open_ones:
            return
        count = len(open_ones) if last else self.random.randint(1, len(open_ones))
        chosen = self.random.sample(open_ones, count)
        applied = {
            i.id: self.due(i) if last else self.random.randint(1, self.due(i)) for i in chosen
        }
        unused = self.random.choice((0, 0, 0, self.random.randint(0, 500)))
        amount = sum(applied.values()) + unused
        self.add(Payment(self.name("txn"), len(self.log), amount, applied))

    def refund(self, whole: bool = False) -> None:
        """A refund, chargeback or reversal of a payment; with or without credit notes."""
        for payment in self.random.sample(*_all_of(self.state.payments)):
            left = payment.amount - self.state.refunded(payment.id)
            if left <= 0 or (whole is False and self.random.random() < 0.3):
                continue
            amount = left if whole else self.random.randint(1, left)
            way = self.random.choice(("refund", "refund", "refund", "chargeback",
                                      "payment_reversal"))  # fmt: skip
            notes = self.notes_for(payment, amount) if way == "refund" else {}
            found = Refund(self.name("ref"), payment.id, amount, notes, way)
            if way == "refund" and self.random.random() < 0.2:
                self.add(found._replace(status="in_progress"))
            fails = not whole and self.random.random() < 0.1
            self.add(found._replace(status="failure") if fails else found)
            if not whole:
                return

    def notes_for(self, payment: Payment, amount: int) -> dict[str, int]:
        if self.random.random() < 0.4:
            return {}
        notes = {}
        left = amount
        for invoice_id, applied in payment.applied.items():
            part = self.random.randint(0, min(left, applied))
            if part:
                notes[invoice_id] = part
                left -= part
        return notes

    def trouble(self) -> None:
        step = self.random.choice((self.refund, self.refund, self.refund, self.fail, self.void,
                                   self.adjust, self.adjust, self.void_note, self.write_off,
                                   self.move))  # fmt: skip
        step()

    def fail(self) -> None:
        payment = self.random.choice(list(self.state.payments.values()))
        self.add(payment._replace(status=self.random.choice(("late_failure", "voided"))))

    def void(self) -> None:
        if self.random.random() < 0.4:
            invoice = self.random.choice(list(self.state.invoices.values()))
            self.add(invoice._replace(voided=True))

    def adjust(self) -> None:
        invoice = self.random.choice(list(self.state.invoices.values()))
        line = invoice.lines[0]
        net = line.amount - line.discount - (line.tax if invoice.inclusive else 0)
        part = self.random.choice((2, 3, 10, 1))
        note = Note(self.name("cn"), invoice.id, len(self.log), net // part, line.tax // part)
        if note.net + note.tax:
            self.add(note)

    def void_note(self) -> None:
        if self.state.notes:
            note = self.random.choice(list(self.state.notes.values()))
            self.add(note._replace(voided=True))

    def write_off(self) -> None:
        invoice = self.random.choice(list(self.state.invoices.values()))
        off = self.random.randint(0, max(self.due(invoice), 0))
        self.add(invoice._replace(write_off=off))

    def move(self) -> None:
        """A payment's money is applied to another invoice instead."""
        payment = self.random.choice(list(self.state.payments.values()))
        target = self.random.choice(list(self.state.invoices))
        self.add(payment._replace(applied={target: sum(payment.applied.values())}))


def _all_of(payments: Mapping[str, Payment]) -> tuple[list[Payment], int]:
    return list(payments.values()), len(payments)


def write_history(number: int, seed: int, currencies: tuple[str, ...] = CURRENCIES) -> History:
    """1-4 invoices, 1-6 payments, then trouble; the same for the same seed."""
    writer = _Writer(number, seed)
    chance = writer.random
    for _ in range(chance.randint(1, 4)):
        writer.issue()
    fully_paid = chance.random() < 0.5
    payments = chance.randint(1, 6)
    for turn in range(payments):
        writer.pay(last=fully_paid and turn == payments - 1)
    paid_at = len(writer.log)
    ends_refunded = False
    if writer.state.payments:
        for _ in range(chance.randint(0, 4)):
            writer.trouble()
        if ends_refunded := chance.random() < 0.4:
            writer.refund(whole=True)
    currency = chance.choice(currencies)
    return History(number, currency, _rule(chance, currency), _shares(chance), writer.log, paid_at,
                   fully_paid, ends_refunded)  # fmt: skip


def _rule(chance: random.Random, currency: str) -> Rule:
    base = chance.choice(("net", "net", "gross"))
    rounding = chance.choice(("half_even", "half_even", "half_up"))
    if chance.random() < 0.15:
        return Rule(None, {currency: chance.randint(1, 5_000)}, base, rounding)
    rate = chance.choice((125_000, 200_000, 25_000, 333_333, 75_000, chance.randint(1, 1_000_000)))
    return Rule(rate, None, base, rounding)


def _shares(chance: random.Random) -> tuple[int, ...]:
    return chance.choice(((10_000,), (10_000,), (5_000, 5_000), (3_334, 3_333, 3_333),
                          (1, 9_999), (6_000, 2_500, 1_500)))  # fmt: skip


def shuffled(history: History, seed: int) -> History:
    """The same history as it becomes known in another order."""
    snapshots = list(history.snapshots)
    random.Random(seed).shuffle(snapshots)  # noqa: S311
    return replace(history, snapshots=snapshots)
