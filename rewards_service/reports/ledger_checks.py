"""Invariants of the ledger that gives rewards their amounts."""

from collections.abc import Iterator

from sqlalchemy import and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.reports.findings import Finding, Invariant, each
from rewards_service.rewards.ledger import PAYABLE
from rewards_service.rewards.models import (
    BY_HAND,
    ENTRY_KINDS,
    LedgerEntry,
    LedgerPosting,
    Reward,
)
from rewards_service.rewards.months import CLAWBACK, EXPENSE

_SLOT = (Reward.integration_id, Reward.invoice_id, Reward.rule_version_id, Reward.partner_id)


def _unbalanced(session: Session) -> Iterator[Finding]:
    """I8, V8: the sides of each entry sum to zero, its expense side is its amount.

    Where a reward is declined, an entry of amount 0 takes the expense back.
    """
    expense = case((LedgerPosting.account == EXPENSE, LedgerPosting.amount_minor), else_=0)
    sides = func.count(LedgerPosting.entry_id)
    by = (LedgerEntry.id, LedgerEntry.reward_id, LedgerEntry.amount_minor, Reward.status)
    refusal = and_(LedgerEntry.amount_minor == 0, Reward.status == "declined")
    query = (
        select(
            LedgerEntry.reward_id,
            LedgerEntry.id,
            LedgerEntry.amount_minor,
            func.coalesce(func.sum(LedgerPosting.amount_minor), 0),
        )
        .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .outerjoin(Reward, Reward.id == LedgerEntry.reward_id)
        .group_by(*by)
        .having(
            or_(
                sides == 0,
                func.sum(LedgerPosting.amount_minor) != 0,
                and_(
                    func.sum(expense) != LedgerEntry.amount_minor,
                    ~func.coalesce(refusal, false()),
                ),
            )
        )
    )
    yield from each(session, query, "reward", "Entry {0} of {1}: its sides sum to {2}.")
    yield from _rootless(session)


def _rootless(session: Session) -> Iterator[Finding]:
    """Every side has an entry, every entry a reward and a lawful kind, a person's a reason."""
    sides = (
        select(LedgerPosting.entry_id, LedgerPosting.account)
        .outerjoin(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.id.is_(None))
    )
    yield from each(session, sides, "reward", "A side on {0} has no entry.")
    entries = (
        select(LedgerEntry.reward_id, LedgerEntry.id, LedgerEntry.kind)
        .outerjoin(Reward, Reward.id == LedgerEntry.reward_id)
        .where(or_(Reward.id.is_(None), LedgerEntry.kind.not_in(ENTRY_KINDS)))
    )
    yield from each(session, entries, "reward", "Entry {0} has no reward, or the kind {1}.")
    unexplained = select(LedgerEntry.reward_id, LedgerEntry.id).where(
        LedgerEntry.kind.in_(BY_HAND),
        LedgerEntry.amount_minor != 0,
        or_(LedgerEntry.reason.is_(None), LedgerEntry.actor.is_(None)),
    )
    yield from each(session, unexplained, "reward", "Entry {0} by hand does not say who or why.")


def _misposted(session: Session) -> Iterator[Finding]:
    """I9: each side is on the account of its reward's partner, in its currency.

    With balanced entries this makes a partner's balances the sums of its rewards' entries.
    """
    query = (
        select(Reward.id, LedgerEntry.id)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .where(
            or_(
                LedgerPosting.partner_id != Reward.partner_id,
                LedgerPosting.currency != Reward.currency,
            )
        )
        .distinct()
    )
    return each(session, query, "reward", "Entry {0} is posted to another partner or currency.")


def _misplaced(session: Session) -> Iterator[Finding]:
    """V8: what is owed for a reward stands on the account of its status, a debt on its own."""
    right = case(PAYABLE, value=Reward.status)
    debt = and_(Reward.status == "approved", LedgerPosting.account == CLAWBACK)
    placed = (
        select(Reward.id, LedgerPosting.account, Reward.status)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
    )
    astray = placed.where(LedgerPosting.account != EXPENSE, LedgerPosting.account != right, ~debt)
    by = (Reward.id, LedgerPosting.account, Reward.status)
    elsewhere = astray.group_by(*by).having(func.sum(LedgerPosting.amount_minor) != 0)
    yield from each(session, elsewhere, "reward", "Something stands on {0}, but it is {1}.")
    both = placed.where(Reward.status == "approved", LedgerPosting.account != EXPENSE)
    total = func.sum(LedgerPosting.amount_minor)
    wrong_side = both.group_by(*by).having(
        or_(
            and_(LedgerPosting.account == CLAWBACK, total < 0),
            and_(LedgerPosting.account == PAYABLE["approved"], total > 0),
        )
    )
    yield from each(session, wrong_side, "reward", "What stands on {0} has the wrong sign.")


def _below_zero(session: Session) -> Iterator[Finding]:
    """I10: no more is taken back than was earned, per invoice, rule version and partner.

    What a person adds or takes is their own business.
    """
    total = func.sum(LedgerEntry.amount_minor)
    query = (
        select(func.min(Reward.id), Reward.invoice_id, total)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(LedgerEntry.kind.not_in(BY_HAND))
        .group_by(*_SLOT)
        .having(total < 0)
    )
    return each(session, query, "reward", "Rewards on invoice {0} sum to {1}.")


INVARIANTS = (
    Invariant("ledger", "Every ledger entry balances.", _unbalanced),
    Invariant("balances", "Balances are the sums of rewards' entries.", _misposted),
    Invariant("accounts", "What is owed stands on the account of its status.", _misplaced),
    Invariant("clawbacks", "No more is taken back than was earned.", _below_zero),
)
