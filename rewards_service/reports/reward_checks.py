"""Invariants of rewards and of the ledger that gives them their amounts."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, case, exists, false, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, DealShare
from rewards_service.reports.findings import Finding, Invariant, each
from rewards_service.rewards.ledger import EXPENSE
from rewards_service.rewards.models import (
    ENTRY_KINDS,
    STATUSES,
    LedgerEntry,
    LedgerPosting,
    Reward,
    RewardStatusChange,
)
from rewards_service.transactions.models import Transaction

HOLD_REASONS = ("self_referral", "conflict", "lead_pending", "refund_open", "rate_missing")
_SLOT = (Reward.integration_id, Reward.invoice_id, Reward.rule_version_id, Reward.partner_id)


def _repeated(session: Session) -> Iterator[Finding]:
    """I7, A4: one reward per invoice, rule version, partner and seq; seqs count from 1."""
    query = (
        select(func.min(Reward.id), Reward.invoice_id)
        .group_by(*_SLOT)
        .having(
            or_(
                func.count() != func.count(Reward.seq.distinct()),
                func.max(Reward.seq) != func.count(),
                func.min(Reward.seq) != 1,
            )
        )
    )
    return each(session, query, "reward", "Seqs on invoice {0} are not 1, 2, 3 ...")


def _unbalanced(session: Session) -> Iterator[Finding]:
    """I8, V8: the sides of each entry sum to zero, its expense side is its amount."""
    expense = case((LedgerPosting.account == EXPENSE, LedgerPosting.amount_minor), else_=0)
    sides = func.count(LedgerPosting.entry_id)
    by = (LedgerEntry.id, LedgerEntry.reward_id, LedgerEntry.amount_minor)
    query = (
        select(
            LedgerEntry.reward_id,
            LedgerEntry.id,
            LedgerEntry.amount_minor,
            func.coalesce(func.sum(LedgerPosting.amount_minor), 0),
        )
        .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .group_by(*by)
        .having(
            or_(
                sides == 0,
                func.sum(LedgerPosting.amount_minor) != 0,
                func.sum(expense) != LedgerEntry.amount_minor,
            )
        )
    )
    yield from each(session, query, "reward", "Entry {0} of {1}: its sides sum to {2}.")
    yield from _rootless(session)


def _rootless(session: Session) -> Iterator[Finding]:
    """Every side has an entry, every entry a reward and a lawful kind."""
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


def _below_zero(session: Session) -> Iterator[Finding]:
    """I10: no more is taken back than was earned, per invoice, rule version and partner."""
    total = func.sum(LedgerEntry.amount_minor)
    query = (
        select(func.min(Reward.id), Reward.invoice_id, total)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .group_by(*_SLOT)
        .having(total < 0)
    )
    return each(session, query, "reward", "Rewards on invoice {0} sum to {1}.")


def _wrong_partner(session: Session) -> Iterator[Finding]:
    """I11, S1: what was earned belongs to the customer's source partner, or to one with a share.

    Where a person has named another partner, what was earned before stays with the former (S5).
    """
    shares = exists().where(
        DealShare.deal_id == Customer.source_deal_id, DealShare.partner_id == Reward.partner_id
    )
    query = (
        select(Reward.id)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .outerjoin(Customer, Customer.id == Reward.customer_id)
        .where(
            func.coalesce(Customer.source_partner_id, 0) != Reward.partner_id,
            ~shares,
            func.coalesce(Customer.source_by_hand, false()) == false(),
        )
        .group_by(Reward.id)
        .having(func.sum(LedgerEntry.amount_minor) != 0)
    )
    yield from each(session, query, "reward", "Its partner did not bring its customer.")
    row = Transaction
    of_transaction = (
        select(row.id)
        .join(Customer, Customer.id == row.customer_id)
        .where(
            row.withdrawn_at.is_(None),
            func.coalesce(row.partner_id, 0) != func.coalesce(Customer.source_partner_id, 0),
            ~Customer.source_by_hand,
        )
    )
    yield from each(session, of_transaction, "transaction", "Its partner is not its customer's.")


def _astray_statuses(session: Session) -> Iterator[Finding]:
    """V2: a lawful status, a reason with each hold, and a history that leads to it."""
    on_hold = Reward.status == "hold"
    unlawful = or_(
        Reward.status.not_in(STATUSES),
        on_hold != Reward.hold_reason.is_not(None),
        and_(on_hold, Reward.hold_reason.not_in(HOLD_REASONS)),
    )
    query = select(Reward.id, Reward.status, Reward.hold_reason).where(unlawful)
    yield from each(session, query, "reward", "Status {0} does not go with hold reason {1}.")
    yield from _broken_history(session)


def _broken_history(session: Session) -> Iterator[Finding]:
    move = RewardStatusChange
    ordered: dict[str, Any] = {"partition_by": move.reward_id, "order_by": move.id}
    moves = select(
        move.reward_id, move.from_status, move.to_status,
        func.lag(move.to_status).over(**ordered).label("before"),
        func.lead(move.id).over(**ordered).label("next"),
    ).subquery()  # fmt: skip
    query = (
        select(Reward.id, Reward.status, moves.c.from_status, moves.c.to_status)
        .join(moves, moves.c.reward_id == Reward.id)
        .where(
            or_(
                moves.c.from_status != func.coalesce(moves.c.before, moves.c.from_status),
                and_(moves.c.next.is_(None), moves.c.to_status != Reward.status),
            )
        )
    )
    return each(session, query, "reward", "Status {0}, but its history has a move {1} to {2}.")


INVARIANTS = (
    Invariant("rewards_once", "Each reward exists once.", _repeated),
    Invariant("ledger", "Every ledger entry balances.", _unbalanced),
    Invariant("balances", "Balances are the sums of rewards' entries.", _misposted),
    Invariant("clawbacks", "No more is taken back than was earned.", _below_zero),
    Invariant("reward_partners", "Rewards belong to who brought the customer.", _wrong_partner),
    Invariant("reward_statuses", "Statuses of rewards are lawful.", _astray_statuses),
)
