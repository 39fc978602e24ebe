"""How events left what an invoice counts, one after the other, as the log brought them (pure, A9).

A batch may bring many events at once: what counters say of each must not depend on that.
"""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rewards_service.kit.money import round_amount
from rewards_service.rewards import engine
from rewards_service.rewards.figures import Invoice, Payment
from rewards_service.rewards.verdicts import Offer, Verdict

VOID = "void"
FAILED = "failed:"  # before the id of a payment that stands no more


class Moment(NamedTuple):
    """Something that happened to an invoice: which event brought it, what it was, when."""

    log_id: int
    source: str
    day: date


class Step(NamedTuple):
    """One source and what it adds to the metric in all, minor units; negative for refunds."""

    log_id: int
    source: str
    amount: int
    day: date


def day_of(at: datetime, offer: Offer) -> date:
    """The day in the programme's time zone."""
    return at.astimezone(ZoneInfo(offer.version.timezone)).date()


def steps(verdict: Verdict, offer: Offer) -> list[Step]:
    """What each event adds to the metric: payments, refunds, notes, and what no longer stands."""
    found, before = [], 0
    for moment, base in bases(verdict, offer):
        reached = round_amount(base)
        found.append(Step(moment.log_id, moment.source, reached - before, moment.day))
        before = reached
    return found


def bases(verdict: Verdict, offer: Offer) -> list[tuple[Moment, Fraction]]:
    """The base as each event left it; the last is the base as it is."""
    invoice, payments = verdict.invoice, [part.payment for part in offer.figures.payments]
    if invoice is None:
        return []
    found = []
    for moment in sorted(_moments(invoice, payments, offer)):
        # Nothing counts before the invoice is known.
        moment = moment._replace(log_id=max(moment.log_id, invoice.first_log_id))  # noqa: PLW2901
        some = [_as_of(one, moment) for one in payments if one.log_id <= moment.log_id]
        figures = engine.summarise(_invoice_as_of(invoice, moment), some, offer.version)
        found.append((moment, figures.base * offer.figures.served))
    return found


def _moments(invoice: Invoice, payments: list[Payment], offer: Offer) -> Iterator[Moment]:
    for payment in payments:
        yield Moment(payment.log_id, payment.payment_id, day_of(payment.paid_at, offer))
        for refund in payment.refunds:
            at = refund.dated_at or payment.paid_at
            yield Moment(refund.log_id, refund.refund_id, day_of(at, offer))
        if not payment.kept:
            at = payment.seen_at or payment.paid_at
            yield Moment(_after(payment), FAILED + payment.payment_id, day_of(at, offer))
    latest = offer.latest.paid_at
    for note in invoice.adjustments:
        yield Moment(note.log_id, note.note_id, day_of(note.dated_at or latest, offer))
    if invoice.voided:
        yield Moment(invoice.log_id, VOID, day_of(invoice.seen_at or latest, offer))


def _after(payment: Payment) -> int:
    return max(payment.changed_log_id, payment.log_id)


def _as_of(payment: Payment, moment: Moment) -> Payment:
    """A payment as it was known then: two events of one moment are told apart by their source."""
    known = [r for r in payment.refunds if (r.log_id, r.refund_id) <= moment[:2]]
    failed = (_after(payment), FAILED + payment.payment_id) <= moment[:2]
    return payment._replace(refunds=known, kept=payment.kept or not failed)


def _invoice_as_of(invoice: Invoice, moment: Moment) -> Invoice:
    notes = [note for note in invoice.adjustments if (note.log_id, note.note_id) <= moment[:2]]
    voided = invoice.voided and (invoice.log_id, VOID) <= moment[:2]
    return invoice._replace(adjustments=notes, voided=voided)
