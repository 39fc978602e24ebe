"""Invariants of payouts: what is paid is what was earned, once (DOMAIN V4, V6, V7)."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from rewards_service.payouts.models import OPEN_STATUSES, Payout, PayoutLine, PayoutStatusChange
from rewards_service.reports.findings import Finding, Invariant, about, each, pages
from rewards_service.rewards.ledger import PAYABLE
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward

CANCELLED, PAID, IN_PAYOUT = "cancelled", "paid", "in_payout"
_ON_ITS_WAY = PAYABLE[IN_PAYOUT]
_PAID_OUT = PAYABLE[PAID]


def _wrong_totals(session: Session) -> Iterator[Finding]:
    """V6: a payout is the sum of its lines, and each line the sum of its reward's entries."""
    lines = (
        select(
            PayoutLine.payout_id,
            func.count().label("number"),
            func.sum(PayoutLine.amount_minor).label("total"),
            func.sum(PayoutLine.pay_amount_minor).label("paid"),
        )
        .group_by(PayoutLine.payout_id)
        .subquery()
    )
    query = (
        select(Payout.id, Payout.total_minor, lines.c.total)
        .outerjoin(lines, lines.c.payout_id == Payout.id)
        .where(
            or_(
                func.coalesce(lines.c.number, 0) != Payout.line_count,
                func.coalesce(lines.c.total, 0) != Payout.total_minor,
                func.coalesce(lines.c.paid, 0) != func.coalesce(Payout.pay_total_minor, 0),
            )
        )
    )
    yield from each(session, query, "payout", "It says {0}, its lines sum to {1}.")
    earned = (
        select(Payout.id, PayoutLine.amount_minor, func.sum(LedgerEntry.amount_minor))
        .join(PayoutLine, and_(PayoutLine.payout_id == Payout.id, PayoutLine.active))
        .outerjoin(LedgerEntry, LedgerEntry.reward_id == PayoutLine.reward_id)
        .group_by(Payout.id, PayoutLine.id, PayoutLine.amount_minor)
        .having(func.coalesce(func.sum(LedgerEntry.amount_minor), 0) != PayoutLine.amount_minor)
    )
    yield from each(session, earned, "payout", "A line of {0}: its reward's entries sum to {1}.")


def _astray(session: Session) -> Iterator[Finding]:
    """V2, V6: what is in a payout has the status that goes with it, and nothing else has."""
    fits = or_(
        and_(Payout.status.in_(OPEN_STATUSES), Reward.status == IN_PAYOUT),
        and_(Payout.status == PAID, Reward.status == PAID),
    )
    same = and_(Reward.partner_id == Payout.partner_id, Reward.currency == Payout.currency)
    lines = (
        select(Reward.id, Reward.status, Payout.status)
        .join(PayoutLine, PayoutLine.reward_id == Reward.id)
        .join(Payout, Payout.id == PayoutLine.payout_id)
    )
    wrong = lines.where(PayoutLine.active, or_(~fits, ~same))
    yield from each(session, wrong, "reward", "Status {0} in a payout that is {1}, or another's.")
    left = lines.where(PayoutLine.active != (Payout.status != CANCELLED))
    yield from each(session, left, "reward", "Status {0}: its payout is {1}, its line is not.")
    homeless = (
        select(Reward.id, Reward.status)
        .outerjoin(PayoutLine, and_(PayoutLine.reward_id == Reward.id, PayoutLine.active))
        .where(Reward.status.in_((IN_PAYOUT, PAID)), PayoutLine.id.is_(None))
    )
    yield from each(session, homeless, "reward", "Status {0}, but it is in no payout.")
    yield from _broken_histories(session)


def _broken_histories(session: Session) -> Iterator[Finding]:
    """The last move of each payout leads to the status that it has."""
    change = PayoutStatusChange
    last = select(func.max(change.id)).group_by(change.payout_id)
    query = (
        select(Payout.id, Payout.status, func.coalesce(change.to_status, literal("nowhere")))
        .outerjoin(change, and_(change.payout_id == Payout.id, change.id.in_(last)))
        .where(func.coalesce(change.to_status, "") != Payout.status)
    )
    return each(session, query, "payout", "Status {0}, but its history leads to {1}.")


def _twice(session: Session) -> Iterator[Finding]:
    """V6: no reward is in two payouts that are not cancelled: none is paid twice."""
    query = (
        select(PayoutLine.reward_id, func.count())
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(or_(PayoutLine.active, Payout.status != CANCELLED))
        .group_by(PayoutLine.reward_id)
        .having(func.count() > 1)
    )
    return each(session, query, "reward", "It is in {0} payouts.")


def _off_the_books(session: Session) -> Iterator[Finding]:
    """V8: by partner and currency, the accounts hold what payouts say is on its way and is paid."""
    sides: list[Any] = [
        select(
            LedgerPosting.partner_id, LedgerPosting.currency, LedgerPosting.account,
            func.sum(LedgerPosting.amount_minor).label("amount"),
        )
        .where(LedgerPosting.account.in_((_ON_ITS_WAY, _PAID_OUT)))
        .group_by(LedgerPosting.partner_id, LedgerPosting.currency, LedgerPosting.account)
    ]  # fmt: skip
    for account, statuses in ((_ON_ITS_WAY, OPEN_STATUSES), (_PAID_OUT, (PAID,))):
        sides.append(
            select(
                Payout.partner_id, Payout.currency, literal(account).label("account"),
                func.sum(Payout.total_minor).label("amount"),
            )
            .where(Payout.status.in_(statuses))
            .group_by(Payout.partner_id, Payout.currency)
        )  # fmt: skip
    both = union_all(*sides).subquery().c
    query = (
        select(both.partner_id, both.currency, both.account, func.sum(both.amount))
        .group_by(both.partner_id, both.currency, both.account)
        .having(func.sum(both.amount) != 0)
    )
    for page in pages(session, query):
        for partner_id, currency, account, amount in page:
            detail = f"{account} in {currency} and its payouts differ by {amount}."
            yield about("partner", partner_id, detail)


INVARIANTS = (
    Invariant("payouts", "Payouts are the sums of their rewards.", _wrong_totals),
    Invariant("payout_statuses", "Rewards go with the payouts they are in.", _astray),
    Invariant("payouts_once", "No reward is in two payouts.", _twice),
    Invariant("payout_accounts", "The ledger holds what payouts say.", _off_the_books),
)
