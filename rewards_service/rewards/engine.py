"""What an invoice's payments earn: what is kept of them, and the base of a reward (pure).

A reward is a *target*, not a sum of differences: for an invoice, a rule version and a partner the
target follows from the invoice, its payments and what took them back, whatever came first. The
ledger then posts target minus what was posted (DOMAIN A4). One rounding, on the cumulative target:
see `pricing`, which makes an amount of a base.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from rewards_service.kit.money import round_amount
from rewards_service.programs.rules import BY_LINE, GROSS, ItemFilter, RuleVersion
from rewards_service.rewards.figures import Adjustment, Invoice, Kept, Line, Payment, Refund, Sum


def selects(items: ItemFilter, line: Line) -> bool:
    """Whether a rule counts a line: by its price or item, by its type; "*" ends a prefix."""
    if items.entity_types and line.entity_type not in items.entity_types:
        return False
    if items.include and not _is_named(line.entity_id, items.include):
        return False
    return not _is_named(line.entity_id, items.exclude)


def _is_named(entity_id: str | None, names: Iterable[str]) -> bool:
    if entity_id is None:
        return False
    return any(
        entity_id.startswith(name[:-1]) if name.endswith("*") else entity_id == name
        for name in names
    )


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


def summarise(invoice: Invoice, payments: Sequence[Payment], version: RuleVersion) -> Sum:
    """Work out what the invoice keeps of the payments that may earn, under a rule (A2, A3)."""
    may_earn = [payment for payment in payments if payment.barred is None]
    kept = [_kept(payment, invoice) for payment in may_earn]
    cash = sum((part.kept for part in kept), Fraction(0))
    payable, adjusted, inconsistent = _payable(invoice, version, cash)
    gross = sum((Fraction(part.applied_minor) for part in kept), Fraction(0))
    earning, by_line = _by_line(invoice, may_earn, version, cash)
    return Sum(
        eligible(invoice, version), adjusted, payable, min(cash, Fraction(max(payable, 0))), gross,
        kept, inconsistent, min(earning, Fraction(max(payable, 0))), by_line,
    )  # fmt: skip


def eligible(invoice: Invoice, version: RuleVersion) -> int:
    """The invoice's lines that the rule counts, minor units (A2)."""
    if version.terms.items == ItemFilter():
        return invoice.gross_minor if version.base == GROSS else invoice.net_minor
    return max(_selected(invoice.lines, version), 0)


def _selected(lines: Iterable[Line], version: RuleVersion) -> int:
    counted = (line for line in lines if selects(version.terms.items, line))
    return sum(line.gross_minor if version.base == GROSS else line.net_minor for line in counted)


def _adjusted(note: Adjustment, invoice: Invoice, version: RuleVersion) -> int:
    """What an adjustment note takes from the lines that count."""
    whole = note.gross_minor if version.base == GROSS else note.net_minor
    if version.terms.items == ItemFilter():
        return whole
    if note.lines:
        return min(_selected(_named_lines(note.lines, invoice), version), whole)
    everything = invoice.gross_minor if version.base == GROSS else invoice.net_minor
    return round_amount(Fraction(whole * eligible(invoice, version), everything or 1))


def _named_lines(lines: Iterable[Line], invoice: Invoice) -> list[Line]:
    """Lines of a credit note, known by the invoice line that each refers to where it says so."""
    known = {line.line_id: line for line in invoice.lines if line.line_id}
    return [
        line._replace(entity_type=known[line.line_id].entity_type,
                      entity_id=known[line.line_id].entity_id)
        if line.line_id in known else line
        for line in lines
    ]  # fmt: skip


def _kept(payment: Payment, invoice: Invoice) -> Kept:
    applied = payment.applied.get(invoice.invoice_id, 0)
    if not payment.kept or invoice.voided:
        return Kept(payment, applied, Fraction(applied), Fraction(0))
    taken = taken_back_from(payment, invoice.invoice_id)
    return Kept(payment, applied, taken, applied - taken)


def _by_line(
    invoice: Invoice, payments: Iterable[Payment], version: RuleVersion, cash: Fraction
) -> tuple[Fraction, Fraction]:
    """(cash for the base, taken from the base), where notes say which lines they refund (A3)."""
    if version.terms.refund_allocation != BY_LINE:
        return cash, Fraction(0)
    earning = taken = Fraction(0)
    for payment in payments:
        others = [_without_notes(refund, invoice.invoice_id) for refund in payment.refunds]
        left = _kept(payment._replace(refunds=others), invoice)
        earning += left.kept
        # What a payment never brought here, or brought in vain, takes nothing from others.
        for refund in payment.refunds if left.kept > 0 else ():
            for note in refund.noted.get(invoice.invoice_id, ()):
                lines = _selected(_named_lines(note.lines, invoice), version)
                taken += Fraction(note.amount_minor * max(lines, 0), note.total_minor)
    return earning, taken


def _without_notes(refund: Refund, invoice_id: str) -> Refund:
    named = sum(note.amount_minor for note in refund.noted.get(invoice_id, ()))
    assigned = {**refund.assigned, invoice_id: refund.assigned.get(invoice_id, 0) - named}
    return refund._replace(amount_minor=refund.amount_minor - named, assigned=assigned)


def _payable(invoice: Invoice, version: RuleVersion, cash: Fraction) -> tuple[int, int, bool]:
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
        adjusted += _adjusted(note, invoice, version)
    if payable <= 0 < cash:
        return invoice.total_minor, adjusted, True
    return payable, adjusted, inconsistent
