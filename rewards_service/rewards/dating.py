"""When that happened which a posting is about: the first of the ledger's two clocks (pure).

The other, when we knew, is the time of the posting. A batch brings many events at once, and its
postings name the newest of them: the date comes from the facts of the invoice that are new since
the last posting, by the events that brought them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from rewards_service.rewards.verdicts import Verdict

_Fact = tuple[int, datetime]  # (event that brought it, when it happened)


class Dated(NamedTuple):
    """A time, or the event whose own time it is; neither: the time of posting."""

    at: datetime | None = None
    by_log_id: int | None = None


NOW = Dated()


def date(verdict: Verdict, amount_minor: int, told_log_id: int, cause: int | None) -> Dated:
    """When it happened that a partner has so much more (or, below 0, less) for an invoice.

    More: at the newest payment that no posting has told of yet; less: at the newest refund,
    failure, note or void. What a person decides (`cause` None) happens as it is decided.
    """
    if cause is None:
        return NOW
    came = [at for log_id, at in _payments(verdict) if log_id > told_log_id]
    went = [at for log_id, at in _takings(verdict) if log_id > told_log_id]
    facts = (came or went) if amount_minor > 0 else (went or came)
    if facts:
        return Dated(max(facts))
    # A refund that came to nothing is no fact any more, but the event that said so is known.
    known = verdict.refund_log_id
    return Dated(by_log_id=known if known > told_log_id else cause)


def _payments(verdict: Verdict) -> Iterator[_Fact]:
    for payment in verdict.payments:
        if payment.barred is None:
            yield payment.log_id, payment.paid_at


def _takings(verdict: Verdict) -> Iterator[_Fact]:
    for payment in verdict.payments:
        for refund in payment.refunds:
            yield refund.log_id, refund.dated_at or payment.paid_at
        if not payment.kept:
            changed = max(payment.changed_log_id, payment.log_id)
            yield changed, payment.seen_at or payment.paid_at
    if verdict.invoice is not None:
        for note in verdict.invoice.adjustments:
            if note.dated_at is not None:
                yield note.log_id, note.dated_at
        if verdict.invoice.voided and verdict.invoice.seen_at is not None:
            yield verdict.invoice.log_id, verdict.invoice.seen_at
