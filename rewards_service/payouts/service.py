"""Lead payouts from draft to paid or cancelled, their rewards and the ledger with them (V6)."""

from datetime import date, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit.clock import instant, utc_now
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import hold_stage
from rewards_service.kit.errors import Conflict
from rewards_service.kit.refusals import invalid_member
from rewards_service.payouts import exchange, queries
from rewards_service.payouts.history import note
from rewards_service.payouts.models import NOT_POSITIVE, Payout, PayoutLine
from rewards_service.payouts.proof import check_ledger
from rewards_service.rewards import review
from rewards_service.rewards.review import Order

# Where a payout goes from where; paid and cancelled are for good.
MOVES = {
    "draft": ("pending", "cancelled"),
    "pending": ("ready", "cancelled"),
    "ready": ("paid", "cancelled"),
}


class PayoutWrongStatus(Conflict):
    code = "payout_wrong_status"
    title = "The payout is not in a status that allows this."


class PayoutHeld(Conflict):
    code = "payout_held"
    title = "The payout cannot be paid as it stands."


class RateMissing(PayoutHeld):
    code = "rate_missing"
    title = "There is no exchange rate for this payout."


def refresh_rate(session: Session, payout_id: int, actor: str) -> Payout:
    """Look again for the rate that a draft is held for; found, it is converted and free to go.

    A payout that is converted already keeps its rate. Raises NotFound.
    """
    payout = _lock(session, payout_id)
    if payout.problem is None or payout.status != "draft":
        return payout
    lines = queries.lines_of(session, payout_id)
    priced = exchange.price(
        session, payout, [(line.reward_id, line.amount_minor) for line in lines]
    )
    before = {"problem": payout.problem}
    payout.pay_total_minor, payout.problem = priced.total_minor, priced.problem
    for line, quote, part in zip(lines, priced.quotes, priced.parts, strict=True):
        line.pay_amount_minor = part
        if quote is not None:
            line.rate, line.rate_on, line.rate_source = quote
    session.flush()
    if priced.problem is None:
        after = {"pay_total_minor": payout.pay_total_minor, "pay_currency": payout.pay_currency}
        detail = {"before": before, "after": after}
        record(session, "payout.converted", ("payout", payout.id), detail, actor)
    return payout


def submit(session: Session, payout_id: int, actor: str) -> Payout:
    """Draft to pending: for the partner to review. Done twice, it is done once.

    Raises NotFound, PayoutWrongStatus; RateMissing or PayoutHeld when it cannot be converted.
    """
    payout = refresh_rate(session, payout_id, actor)
    check_not_held(payout)
    return _advance(session, payout, "pending", actor)


def accept(session: Session, payout_id: int, actor: str) -> Payout:
    """Pending to ready: it may be paid. Raises NotFound, PayoutWrongStatus."""
    payout = _lock(session, payout_id)
    if payout.status != "ready":
        payout.ready_at = utc_now()
    return _advance(session, payout, "ready", actor)


def mark_paid(
    session: Session, payout_id: int, paid_on: date, reference: str | None, actor: str
) -> Payout:
    """Ready to paid, and with it all its rewards; said twice in the same words, it is done once.

    paid_on: the day the money left, not in the future. Raises NotFound, PayoutWrongStatus;
    PayoutDisagreesWithLedger when its rewards are not what they were when it was made.
    """
    payout = _lock(session, payout_id)
    if payout.status == "paid" and (payout.paid_on, payout.reference) == (paid_on, reference):
        return payout
    _check_move(payout, "paid")
    if paid_on > utc_now().date() + timedelta(days=1):  # it is tomorrow already somewhere
        raise invalid_member("paid_on", "This day has not come yet.")
    reward_ids = check_ledger(session, payout, "in_payout")
    left_at = instant(paid_on, "UTC")  # the day has no zone; statements are in UTC
    crash_point("payouts.checked")
    review.carry_out(session, reward_ids, Order("paid", "paid out", actor, happened_at=left_at))
    check_ledger(session, payout, "paid")
    crash_point("payouts.moved")
    payout.paid_on, payout.reference, payout.paid_at = paid_on, reference, utc_now()
    return _advance(session, payout, "paid", actor)


def cancel(session: Session, payout_id: int, reason: str | None, actor: str) -> Payout:
    """Give a payout up before it is paid; its rewards are approved again and free for the next.

    Done twice, it is done once. Raises NotFound, PayoutWrongStatus.
    """
    payout = _lock(session, payout_id)
    if payout.status == "cancelled":
        return payout
    _check_move(payout, "cancelled")
    lines = queries.lines_of(session, payout_id)
    reward_ids = sorted(line.reward_id for line in lines)
    review.change_status(session, reward_ids, "approved", reason or "payout cancelled", actor)
    session.execute(
        update(PayoutLine).where(PayoutLine.payout_id == payout_id).values(active=False)
    )
    return _advance(session, payout, "cancelled", actor, reason)


def _lock(session: Session, payout_id: int) -> Payout:
    for stage in review.STAGES:
        hold_stage(session, stage)
    return queries.get_payout(session, payout_id, lock=True)


def check_not_held(payout: Payout) -> None:
    """Raises RateMissing or PayoutHeld for a payout that is not converted (V7)."""
    if payout.problem == NOT_POSITIVE:
        raise PayoutHeld(
            "Converted, what is taken back outweighs the rest: there is nothing to pay. Cancel it; "
            "its rewards wait for the next payout."
        )
    if payout.problem is not None:
        raise RateMissing(
            f"No rate from {payout.currency} to {payout.pay_currency} is on record for the seven "
            f"days up to {payout.cut_off_on}. Add one to the exchange rates, then try again."
        )


def _check_move(payout: Payout, to_status: str) -> None:
    allowed = MOVES.get(payout.status, ())
    if to_status not in allowed:
        possible = " or ".join(allowed) or "nothing else"
        raise PayoutWrongStatus(
            f"The payout is {payout.status}: it can become {possible}, not {to_status}."
        )


def _advance(
    session: Session, payout: Payout, to_status: str, actor: str, reason: str | None = None
) -> Payout:
    """Move a payout and note it; one that is there already stays as it is."""
    if payout.status == to_status:
        return payout
    _check_move(payout, to_status)
    before, payout.status = payout.status, to_status
    note(session, payout, before, f"payout.{to_status}", actor, reason)
    session.flush()
    return payout
