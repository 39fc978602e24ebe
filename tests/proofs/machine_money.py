"""The steps of the money machine that Chargebee tells of: money comes, goes, and comes back."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.proofs.machine_base import Machine, picks, sizes
from tests.proofs.money_model import Payer
from tests.rewards.facts import Invoice, Line, Note, Payment, Refund

whens = st.sampled_from(["now", "now", "now", "with the next", "late"])
parts = st.sampled_from([1, 2, 3, 7])


class Money(Machine):
    """Each step picks what it acts on among all there is, told or not."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._made = 0

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"

    def _pick(self, kind: str, pick: int) -> tuple[Payer, Any]:
        """One of all invoices, payments, refunds or notes."""
        found = [(payer, thing) for payer in self.model.payers
                 for thing in getattr(self.model.truth(payer), kind).values()]  # fmt: skip
        return found[pick % len(found)]

    def _any(self, kind: str) -> bool:
        return any(getattr(self.model.truth(payer), kind) for payer in self.model.payers)

    def begin(self, sizes: list[int]) -> None:
        for number, size in enumerate(sizes):
            self.pay(number, size, number == 1, 1 + number // 2, "with the next")
        self.drain()

    @rule(pick=picks, size=sizes, taxed=st.booleans(),
          part=parts, when=whens)  # fmt: skip
    def pay(self, pick: int, size: int, taxed: bool, part: int, when: str) -> None:
        """A new invoice, paid in whole or in part."""
        payer = self.model.payers[pick % 3]
        first = Line(size, size // 10 if pick % 2 else 0, size // 5 if taxed else 0)
        invoice = Invoice(self._name("inv"), False, (first, Line(pick, 0, 0)))
        self.model.issue(payer, invoice)
        self._pay(payer, invoice, max(invoice.total // part, 1), when)

    @precondition(lambda self: self._any("invoices"))
    @rule(pick=picks, part=parts, when=whens)
    def pay_more(self, pick: int, part: int, when: str) -> None:
        payer, invoice = self._pick("invoices", pick)
        payments = self.model.truth(payer).payments.values()
        due = invoice.total - sum(p.applied.get(invoice.id, 0) for p in payments)
        if due > 0:
            self._pay(payer, invoice, max(due // part, 1), when)

    def _pay(self, payer: Payer, invoice: Invoice, amount: int, when: str) -> None:
        day = self.model.place + 1
        self.tell(payer, Payment(self._name("txn"), day, amount, {invoice.id: amount}), when)

    @precondition(lambda self: self._any("payments"))
    @rule(pick=picks, part=parts, when=whens,
          way=st.sampled_from(["refund", "refund", "chargeback", "payment_reversal"]),
          status=st.sampled_from(["success", "success", "in_progress"]))  # fmt: skip
    def refund(self, pick: int, part: int, when: str, way: str, status: str) -> None:
        payer, payment = self._pick("payments", pick)
        left = payment.amount - self.model.truth(payer).refunded(payment.id)
        if left > 0:
            amount = max(left // part, 1)
            self.tell(payer, Refund(self._name("ref"), payment.id, amount, {}, way, status), when)

    @precondition(lambda self: self._any("refunds"))
    @rule(pick=picks, when=whens, good=st.booleans())
    def settle(self, pick: int, when: str, good: bool) -> None:
        """A refund under way settles or fails; a chargeback is won."""
        payer, refund = self._pick("refunds", pick)
        if refund.status == "in_progress":
            self.tell(payer, refund._replace(status="success" if good else "failure"), when)
        elif refund.status == "success" and refund.way == "chargeback":
            self.tell(payer, refund._replace(status="voided"), when)

    @precondition(lambda self: self._any("payments"))
    @rule(pick=picks, when=whens, status=st.sampled_from(["late_failure", "voided"]))
    def fail(self, pick: int, when: str, status: str) -> None:
        payer, payment = self._pick("payments", pick)
        self.tell(payer, payment._replace(status=status), when)

    @precondition(lambda self: self._any("invoices"))
    @rule(pick=picks, when=whens)
    def void_invoice(self, pick: int, when: str) -> None:
        payer, invoice = self._pick("invoices", pick)
        self.tell(payer, invoice._replace(voided=True), when)

    @precondition(lambda self: self._any("invoices"))
    @rule(pick=picks, part=parts, when=whens)
    def adjust_invoice(self, pick: int, part: int, when: str) -> None:
        payer, invoice = self._pick("invoices", pick)
        net = (invoice.lines[0].amount - invoice.lines[0].discount) // part // 2
        if net:
            note = Note(self._name("cn"), invoice.id, self.model.place + 1, net, 0)
            self.tell(payer, note, when)

    @precondition(lambda self: self._any("notes"))
    @rule(pick=picks, when=whens)
    def void_note(self, pick: int, when: str) -> None:
        payer, note = self._pick("notes", pick)
        self.tell(payer, note._replace(voided=True), when)

    @precondition(lambda self: self.late)
    @rule(pick=picks, twice=st.booleans())
    def deliver(self, pick: int, twice: bool) -> None:
        """What was late arrives, in whatever order; perhaps again."""
        payer, told = self.late.pop(pick % len(self.late))
        self.accept(payer, told)
        self.drain()
        if twice:
            self.accept(payer, told)
            self.drain()
