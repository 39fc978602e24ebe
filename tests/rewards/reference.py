"""What rewards must be, written from the rules alone: fractions, no code of the service.

DOMAIN A2 (kept cash, payable), A3 (base), A4 (targets, one rounding), A5 (rounding), A6 and S7
(splits), A7 (flat), A14 (voided). Where refunds of a payment over several invoices add up to more
than an invoice got, the rest is taken where there is room: a full refund leaves nothing anywhere.
"""

from fractions import Fraction

from tests.rewards.facts import Invoice, Note, Payment, Rule, State
from tests.rewards.histories import History

Targets = dict[tuple[str, int], int]  # (invoice, place of the partner) -> minor units, not 0


def expected_targets(history: History, state: State) -> Targets:
    found = {}
    for invoice in state.invoices.values():
        whole = expected_whole(history.rule, history.currency, state, invoice)
        for place, part in enumerate(split(whole, history.shares)):
            if part:
                found[(invoice.id, place)] = part
    return found


def expected_whole(rule: Rule, currency: str, state: State, invoice: Invoice) -> int:
    """The reward of an invoice before it is split."""
    base = base_of(rule, state, invoice)
    if base == 0:
        return 0
    if rule.flat is not None:
        return rule.flat.get(currency, 0)
    return rounded(base * Fraction(rule.rate_millionths or 0, 1_000_000), rule.rounding)


def base_of(rule: Rule, state: State, invoice: Invoice) -> Fraction:
    cash = kept_cash(state, invoice)
    notes = standing_notes(state, invoice)
    payable = payable_of(invoice, notes)
    while cash > 0 and payable <= 0 and notes:
        notes.pop()
        payable = payable_of(invoice, notes)
    if cash > 0 and payable <= 0:
        payable = invoice.total
    if cash <= 0 or payable <= 0:
        return Fraction(0)
    with_tax = rule.base == "gross"
    eligible = sum(
        (line.amount - line.discount)
        + ((0 if invoice.inclusive else line.tax) if with_tax else
           (-line.tax if invoice.inclusive else 0))
        for line in invoice.lines
    )  # fmt: skip
    adjusted = sum(note.net + (note.tax if with_tax else 0) for note in notes)
    return Fraction(max(eligible - adjusted, 0)) * min(cash, Fraction(payable)) / payable


def payable_of(invoice: Invoice, notes: list[Note]) -> int:
    return invoice.total - invoice.write_off - sum(note.net + note.tax for note in notes)


def standing_notes(state: State, invoice: Invoice) -> list[Note]:
    """Adjustment notes of an invoice that were not voided, oldest first."""
    mine = (n for n in state.notes.values() if n.invoice == invoice.id and not n.voided)
    return sorted(mine, key=lambda note: (note.day, note.id))


def kept_cash(state: State, invoice: Invoice) -> Fraction:
    if invoice.voided:
        return Fraction(0)
    standing = (p for p in state.payments.values() if p.status == "success")
    return sum((kept_of(state, p).get(invoice.id, Fraction(0)) for p in standing), Fraction(0))


def kept_of(state: State, payment: Payment) -> dict[str, Fraction]:
    """What each invoice keeps of a payment after its settled refunds."""
    applied = {name: part for name, part in payment.applied.items() if part > 0}
    whole = sum(applied.values())
    refunds = [r for r in state.refunds.values()
               if r.payment == payment.id and r.status == "success"]  # fmt: skip
    taken = dict.fromkeys(applied, Fraction(0))
    for refund in refunds:
        named = {name: part for name, part in refund.notes.items() if name in applied}
        rest = refund.amount - sum(named.values())
        for name, part in applied.items():
            taken[name] += named.get(name, 0) + Fraction(rest * part, whole)
    over = sum((max(taken[name] - applied[name], Fraction(0)) for name in applied), Fraction(0))
    kept = {name: max(applied[name] - taken[name], Fraction(0)) for name in applied}
    room = sum(kept.values())
    return {name: part - part * min(over / room, Fraction(1)) if room else part
            for name, part in kept.items()}  # fmt: skip


def rounded(value: Fraction, how: str) -> int:
    """To the nearest whole; a half to the even one, or away from zero."""
    whole, rest = divmod(abs(value), 1)
    goes_up = rest > Fraction(1, 2)
    if rest == Fraction(1, 2):
        goes_up = how == "half_up" or whole % 2 == 1
    size = int(whole) + goes_up
    return size if value >= 0 else -size


def split(amount: int, shares: tuple[int, ...]) -> list[int]:
    """Largest remainder; of equal remainders the earlier partner."""
    exact = [Fraction(amount * share, 10_000) for share in shares]
    parts = [part.numerator // part.denominator for part in exact]
    left = amount - sum(parts)
    places = sorted(range(len(shares)), key=lambda place: (parts[place] - exact[place], place))
    for place in places[:left]:
        parts[place] += 1
    return parts


def expected_standing(state: State, payment: Payment) -> tuple[str, int]:
    """(status, minor units taken back) of the transaction of a payment."""
    refunds = [r for r in state.refunds.values()
               if r.payment == payment.id and r.status == "success"]  # fmt: skip
    taken = min(sum(refund.amount for refund in refunds), payment.amount)
    if payment.status != "success":
        return "reversed", taken
    if taken == 0:
        return "succeeded", 0
    if taken < payment.amount:
        return "partially_refunded", taken
    by_force = any(refund.way != "refund" for refund in refunds)
    return ("reversed" if by_force else "refunded"), taken
