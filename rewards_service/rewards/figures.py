"""The values that rewards are worked out from and with (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple


class Line(NamedTuple):
    """A line of an invoice or credit note, minor units after discounts; its days of service."""

    line_id: str | None
    entity_type: str | None
    entity_id: str | None
    net_minor: int
    gross_minor: int
    from_at: datetime | None = None
    to_at: datetime | None = None


class Noted(NamedTuple):
    """What one credit note assigns of a refund to an invoice, and the lines that it takes back."""

    amount_minor: int
    total_minor: int
    lines: tuple[Line, ...]


class Refund(NamedTuple):
    """A settled refund or reversal of a payment; `assigned`: by invoice, as credit notes say.

    `log_id` tells when the log brought it, `dated_at` when it happened. `noted`: by invoice.
    """

    refund_id: str
    amount_minor: int
    assigned: Mapping[str, int]
    log_id: int = 0
    dated_at: datetime | None = None
    noted: Mapping[str, tuple[Noted, ...]] = {}


class Payment(NamedTuple):
    """A payment that was ever applied to the invoice.

    `applied` lists all its invoices: refunds are shared among them. `barred` says why it may not
    earn at all (before_attribution, partner_inactive ...); None when it may. `credit_note_id` is
    the note by which money of a voided invoice came here (A3).
    """

    payment_id: str
    paid_at: datetime
    kept: bool  # still a success: not failed late, voided or deleted
    applied: Mapping[str, int]
    refunds: Sequence[Refund]
    barred: str | None = None
    log_id: int = 0
    credit_note_id: str | None = None
    seen_at: datetime | None = None  # of its newest version
    changed_log_id: int = 0  # of the event that brought its newest version

    @property
    def place(self) -> tuple[datetime, str]:
        return self.paid_at, self.payment_id


class Adjustment(NamedTuple):
    """An adjustment credit note: lowers what is payable and what earns (A3)."""

    note_id: str
    dated_at: datetime | None
    total_minor: int
    net_minor: int
    gross_minor: int
    lines: tuple[Line, ...] = ()
    log_id: int = 0


class Invoice(NamedTuple):
    """An invoice as its newest version says; net and gross are sums over all its lines (A2).

    `lines` are there when a rule looks at them.
    """

    invoice_id: str
    currency: str
    total_minor: int
    write_off_minor: int
    net_minor: int
    gross_minor: int
    voided: bool
    adjustments: Sequence[Adjustment]
    lines: tuple[Line, ...] = ()
    customer_id: str = ""
    country: str | None = None
    invoiced_at: datetime | None = None
    seen_at: datetime | None = None  # of its newest version
    log_id: int = 0  # of the event that brought its newest version
    first_log_id: int = 0  # of the event by which it became known; only where rules count


class Payee(NamedTuple):
    """A partner and its share of the reward in basis points."""

    partner_id: int
    basis_points: int


class Kept(NamedTuple):
    """How much of one payment an invoice keeps, minor units, exact."""

    payment: Payment
    applied_minor: int
    taken_back: Fraction
    kept: Fraction


@dataclass(slots=True)
class Sum:
    """The arithmetic of one invoice: every number that leads to its base.

    `kept` is the cash that stays. `earning` differs from it where refunds are taken from the lines
    that they name: then they do not lower the cash, but `by_line` lowers the base (A3).
    """

    eligible_minor: int
    adjusted_minor: int
    payable_minor: int
    kept: Fraction
    gross_kept: Fraction  # as if nothing had been taken back
    payments: list[Kept]
    inconsistent: bool  # payable is gone while cash is kept (A3)
    earning: Fraction = Fraction(0)
    by_line: Fraction = Fraction(0)
    served: Fraction = Fraction(1)  # part of the service days within the rule's window (A11)

    @property
    def counted_minor(self) -> int:
        """What earns if all is paid and kept."""
        return max(self.eligible_minor - self.adjusted_minor, 0)

    @property
    def base(self) -> Fraction:
        if self.kept <= 0:
            return Fraction(0)
        return max(self._of(self.earning) - self.by_line, Fraction(0)) * self.served

    @property
    def gross_base(self) -> Fraction:
        """The base before anything was taken back."""
        return self._of(self.gross_kept) * self.served

    def _of(self, cash: Fraction) -> Fraction:
        if self.payable_minor <= 0 or cash <= 0:
            return Fraction(0)
        return self.counted_minor * min(cash, Fraction(self.payable_minor)) / self.payable_minor
