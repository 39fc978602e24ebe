"""What an invoice's payments earn: bases, targets, reasons (pure).

A reward is a *target*, not a sum of differences: for an invoice, a rule version and a partner the
target follows from the invoice, its payments and what took them back, whatever came first. The
ledger then posts target minus what was posted (DOMAIN A4). One rounding, on the cumulative target.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from rewards_service.kit.money import RATE_UNIT, round_amount, split
from rewards_service.programs.rules import FLAT, GROSS, RuleVersion


class Refund(NamedTuple):
    """A settled refund or reversal of a payment; `assigned`: by invoice, as credit notes say."""

    refund_id: str
    amount_minor: int
    assigned: Mapping[str, int]


class Payment(NamedTuple):
    """A payment that was ever applied to the invoice.

    `applied` lists all its invoices: refunds are shared among them. `barred` says why it may not
    earn at all (before_attribution, partner_inactive ...); None when it may.
    """

    payment_id: str
    paid_at: datetime
    kept: bool  # still a success: not failed late, voided or deleted
    applied: Mapping[str, int]
    refunds: Sequence[Refund]
    barred: str | None = None

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


class Invoice(NamedTuple):
    """An invoice as its newest version says, sums over eligible lines already made (A2)."""

    invoice_id: str
    currency: str
    total_minor: int
    write_off_minor: int
    net_minor: int
    gross_minor: int
    voided: bool
    adjustments: Sequence[Adjustment]


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
    """The arithmetic of one invoice: every number that leads to its base."""

    eligible_minor: int
    adjusted_minor: int
    payable_minor: int
    kept: Fraction
    gross_kept: Fraction  # as if nothing had been taken back
    payments: list[Kept]
    inconsistent: bool  # payable is gone while cash is kept (A3)

    def base(self, kept: Fraction) -> Fraction:
        if self.payable_minor <= 0 or kept <= 0:
            return Fraction(0)
        eligible = max(self.eligible_minor - self.adjusted_minor, 0)
        return eligible * min(kept, Fraction(self.payable_minor)) / self.payable_minor


@dataclass(slots=True)
class Target:
    """What one partner must have in total for one invoice under one rule version."""

    version: RuleVersion
    partner_id: int
    basis_points: int
    amount_minor: int
    whole_minor: int  # before the split
    base: Fraction


def taken_back_from(payment: Payment, invoice_id: str) -> Fraction:
    """The part of a payment's settled refunds that falls on one invoice, at most what it applied.

    A refund's credit notes say where it belongs; the rest is shared in proportion to what the
    payment applied (A2). What is more than an invoice got is taken from the others, in proportion
    to what they have left, so that a payment refunded in full leaves nothing anywhere.
    """
    applied = {name: part for name, part in payment.applied.items() if part > 0}
    if invoice_id not in applied or not payment.refunds:
        return Fraction(0)
    if sum(refund.amount_minor for refund in payment.refunds) >= sum(applied.values()):
        return Fraction(applied[invoice_id])
    wanted = _wanted(applied, payment.refunds)
    spare = {name: applied[name] - part for name, part in wanted.items() if part < applied[name]}
    over = sum((max(part - applied[name], Fraction(0)) for name, part in wanted.items()),
               Fraction(0))  # fmt: skip
    left = spare.get(invoice_id, Fraction(0))
    return applied[invoice_id] - left + left * over / sum(spare.values())


def _wanted(applied: Mapping[str, int], refunds: Iterable[Refund]) -> dict[str, Fraction]:
    """What refunds ask of each invoice, be it more than the payment applied to it."""
    found = dict.fromkeys(applied, Fraction(0))
    whole = sum(applied.values())
    for refund in refunds:
        named = sum(refund.assigned.get(name, 0) for name in applied)
        trusted = Fraction(min(refund.amount_minor, named), named or 1)
        rest = max(refund.amount_minor - named, 0)
        for name, part in applied.items():
            found[name] += refund.assigned.get(name, 0) * trusted + Fraction(rest * part, whole)
    return found


def summarise(invoice: Invoice, payments: Sequence[Payment], base: str) -> Sum:
    """Work out what the invoice keeps of the payments that may earn (A2, A3)."""
    eligible = invoice.gross_minor if base == GROSS else invoice.net_minor
    kept = [_kept(payment, invoice) for payment in payments if payment.barred is None]
    cash = sum((part.kept for part in kept), Fraction(0))
    payable, adjusted, inconsistent = _payable(invoice, base, cash)
    gross = sum((Fraction(part.applied_minor) for part in kept), Fraction(0))
    return Sum(
        eligible, adjusted, payable, min(cash, Fraction(max(payable, 0))), gross, kept, inconsistent
    )


def _kept(payment: Payment, invoice: Invoice) -> Kept:
    applied = payment.applied.get(invoice.invoice_id, 0)
    if not payment.kept or invoice.voided:
        return Kept(payment, applied, Fraction(applied), Fraction(0))
    taken = taken_back_from(payment, invoice.invoice_id)
    return Kept(payment, applied, taken, applied - taken)


def _payable(invoice: Invoice, base: str, cash: Fraction) -> tuple[int, int, bool]:
    """(payable, adjusted part of the eligible amount, inconsistent).

    Adjustments that would leave nothing payable while cash is kept cannot be right: the last
    target stays, so they are left out, newest first, until something is payable (A3).
    """
    notes = sorted(
        invoice.adjustments, key=lambda n: (n.dated_at is not None, n.dated_at, n.note_id)
    )
    payable = invoice.total_minor - invoice.write_off_minor
    adjusted = 0
    inconsistent = False
    for note in notes:
        if payable - note.total_minor <= 0 < cash:
            inconsistent = True
            break
        payable -= note.total_minor
        adjusted += note.gross_minor if base == GROSS else note.net_minor
    if payable <= 0 < cash:
        return invoice.total_minor, adjusted, True
    return payable, adjusted, inconsistent


def target_amount(version: RuleVersion, figures: Sum, kept: Fraction, currency: str) -> int:
    """The whole reward of an invoice under one rule version, minor units, rounded once (A5, A7)."""
    base = figures.base(kept)
    if base == 0:
        return 0
    if version.kind == FLAT:
        return (version.amounts or {}).get(currency, 0)
    rate = Fraction(version.rate_millionths or 0, RATE_UNIT)
    return round_amount(base * rate, version.rounding)


def targets(
    version: RuleVersion, figures: Sum, currency: str, payees: Sequence[Payee]
) -> list[Target]:
    """The target of each payee; a share is split on the whole target, then posted alone (A6)."""
    whole = target_amount(version, figures, figures.kept, currency)
    base = figures.base(figures.kept)
    ordered = sorted(payees)
    parts = split(whole, [payee.basis_points for payee in ordered])
    return [
        Target(version, payee.partner_id, payee.basis_points, part, whole, base)
        for payee, part in zip(ordered, parts, strict=True)
    ]


def why_nothing(version: RuleVersion, figures: Sum, currency: str) -> str | None:
    """Why a rule gives nothing even before anything was taken back; None when it gives."""
    if figures.eligible_minor <= 0:
        return "not_eligible_lines"
    if version.kind == FLAT and currency not in (version.amounts or {}):
        return "no_amount_for_currency"
    gross = target_amount(version, figures, figures.gross_kept, currency)
    return "no_change" if gross == 0 else None
