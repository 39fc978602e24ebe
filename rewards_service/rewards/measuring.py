"""What payments and refunds add to a partner's tier metric, in the order of the log (pure, A9)."""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rewards_service.kit.money import round_amount
from rewards_service.rewards import engine
from rewards_service.rewards.figures import Kept, Payment
from rewards_service.rewards.verdicts import Offer, Verdict

REST = "*"  # source of whatever lowers a base without being a refund: voids, notes, late failures
LAST = 2**62


class Step(NamedTuple):
    """One source and what it adds to the metric in all, minor units; negative for refunds."""

    log_id: int
    source: str
    amount: int
    day: date


def day_of(at: datetime, offer: Offer) -> date:
    """The day in the programme's time zone."""
    return at.astimezone(ZoneInfo(offer.version.timezone)).date()


def payments_in_log(offer: Offer) -> list[Kept]:
    """The payments that were applied to the invoice, as the log brought them."""
    applied = [part for part in offer.figures.payments if part.applied_minor > 0]
    return sorted(applied, key=lambda part: (part.payment.log_id, part.payment.payment_id))


def steps(verdict: Verdict, offer: Offer) -> list[Step]:
    """Everything the invoice adds to the metric: each payment, each refund, and the rest."""
    found = [*_gains(offer), *_losses(verdict, offer)]
    rest = _rounded(offer.figures.base) - sum(step.amount for step in found)
    return [*found, Step(LAST, REST, rest, _changed_on(verdict, offer))]


def bases(verdict: Verdict, offer: Offer) -> list[tuple[int, Fraction]]:
    """(log id, base) as each payment and refund of the invoice left it."""
    invoice = verdict.invoice
    if invoice is None:
        return []
    payments = [part.payment._replace(kept=True) for part in payments_in_log(offer)]
    ids = {payment.log_id for payment in payments}
    ids |= {refund.log_id for payment in payments for refund in payment.refunds}
    found = []
    for log_id in sorted(ids):
        known = [
            one._replace(refunds=[r for r in one.refunds if r.log_id <= log_id])
            for one in payments
            if one.log_id <= log_id
        ]
        figures = engine.summarise(invoice._replace(voided=False), known, offer.version)
        found.append((log_id, figures.base * offer.figures.served))
    return found


def _gains(offer: Offer) -> Iterator[Step]:
    figures, cash, before = offer.figures, Fraction(0), 0
    for part in payments_in_log(offer):
        cash += part.applied_minor
        payable = Fraction(figures.payable_minor)
        share = min(cash, payable) / payable if payable > 0 else Fraction(0)
        reached = _rounded(figures.counted_minor * share * figures.served)
        payment = part.payment
        yield Step(payment.log_id, payment.payment_id, reached - before,
                   day_of(payment.paid_at, offer))  # fmt: skip
        before = reached


def _losses(verdict: Verdict, offer: Offer) -> Iterator[Step]:
    """Each refund lowers the metric from its own date on."""
    refunds = sorted(
        (refund.log_id, refund.refund_id, part.payment)
        for part in offer.figures.payments
        for refund in part.payment.refunds
    )
    if not refunds or verdict.invoice is None:
        return
    payments = [part.payment._replace(kept=True) for part in offer.figures.payments]
    invoice = verdict.invoice._replace(voided=False)
    before = _rounded(offer.figures.gross_base)
    for number, (log_id, refund_id, payment) in enumerate(refunds, start=1):
        known = {refund for _, refund, _ in refunds[:number]}
        some = [_with(one, known) for one in payments]
        reached = _rounded(
            engine.summarise(invoice, some, offer.version).base * offer.figures.served
        )
        dated_at = next(r.dated_at for r in payment.refunds if r.refund_id == refund_id)
        yield Step(log_id, refund_id, reached - before, day_of(dated_at or payment.paid_at, offer))
        before = reached


def _with(payment: Payment, refunds: set[str]) -> Payment:
    return payment._replace(refunds=[r for r in payment.refunds if r.refund_id in refunds])


def _changed_on(verdict: Verdict, offer: Offer) -> date:
    """The day of what took the rest: the newest version of what no longer stands."""
    times = [p.payment.seen_at for p in offer.figures.payments if not p.payment.kept]
    if verdict.invoice is not None:
        times += [note.dated_at for note in verdict.invoice.adjustments]
        times += [verdict.invoice.seen_at] if verdict.invoice.voided else []
    known = [at for at in times if at is not None]
    return day_of(max(known, default=offer.latest.paid_at), offer)


def _rounded(base: Fraction) -> int:
    return round_amount(base)
