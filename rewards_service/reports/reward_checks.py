"""Invariants of rewards: once each, with whom they belong to, in a lawful status."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, exists, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, DealShare
from rewards_service.reports.findings import Finding, Invariant, each
from rewards_service.rewards.models import (
    BY_HAND,
    STATUSES,
    LedgerEntry,
    Reward,
    RewardStatusChange,
)
from rewards_service.rewards.review import BY_HAND as HOLD_BY_HAND
from rewards_service.rewards.review import LAWFUL, OF_MACHINE
from rewards_service.transactions.models import Transaction

HOLD_REASONS = (
    "self_referral", "conflict", "lead_pending", "refund_open", "rate_missing",
    "partner_inactive", HOLD_BY_HAND,
)  # fmt: skip
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


def _wrong_partner(session: Session) -> Iterator[Finding]:
    """I11, S1, S3, S7: what was earned belongs to the customer's source partner, or to one of its
    deals: whose deal it is, or who has a share of it.

    Where a person has named another partner, what was earned before stays with the former (S5).
    """
    has_share = exists().where(
        DealShare.deal_id == Deal.id, DealShare.partner_id == Reward.partner_id
    )
    shares = exists().where(
        Deal.customer_id == Customer.id, or_(Deal.partner_id == Reward.partner_id, has_share)
    )
    query = (
        select(Reward.id)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .outerjoin(Customer, Customer.id == Reward.customer_id)
        .where(
            func.coalesce(Customer.source_partner_id, 0) != Reward.partner_id,
            ~shares,
            LedgerEntry.kind.not_in(BY_HAND),
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
        and_(
            Reward.hold_until_on.is_not(None),
            func.coalesce(Reward.hold_reason, "") != HOLD_BY_HAND,
        ),
    )
    query = select(Reward.id, Reward.status, Reward.hold_reason).where(unlawful)
    yield from each(session, query, "reward", "Status {0} does not go with hold reason {1}.")
    yield from _broken_history(session)
    yield from _unlawful_moves(session)


def _unlawful_moves(session: Session) -> Iterator[Finding]:
    """Every move is one that V2 allows, and no reward came further than it begins without one."""
    move = RewardStatusChange
    pairs = [(old, new) for old, news in LAWFUL.items() for new in (old, *news)] + [OF_MACHINE]
    moves = select(move.reward_id, move.from_status, move.to_status).where(
        tuple_(move.from_status, move.to_status).not_in(pairs)
    )
    yield from each(session, moves, "reward", "It moved from {0} to {1}.")
    began = or_(
        Reward.status.in_(("pending", "hold")), and_(Reward.status == "approved", Reward.seq > 1)
    )
    unmoved = select(Reward.id, Reward.status).where(
        ~began, ~exists().where(move.reward_id == Reward.id)
    )
    yield from each(session, unmoved, "reward", "It is {0}, but nobody moved it there.")


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
    Invariant("reward_partners", "Rewards belong to who brought the customer.", _wrong_partner),
    Invariant("reward_statuses", "Statuses of rewards are lawful.", _astray_statuses),
)
