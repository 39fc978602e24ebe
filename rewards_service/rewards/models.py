"""Rewards, the double-entry ledger that gives them their amounts, and their explanations."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.crm.models import Customer
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

STATUSES = ("pending", "hold", "approved", "declined", "in_payout", "paid")
OPEN_STATUSES = ("pending", "hold", "approved")
ENTRY_KINDS = ("earn", "reverse", "adjust", "cap_release", "manual")
ACCOUNTS = (
    "expense", "payable_pending", "payable_approved", "payable_in_payout", "paid",
    "clawback_receivable",
)  # fmt: skip


class Reward(Base):
    """What one partner earns on one invoice under one rule version (DOMAIN A4).

    Its amount is the sum of its ledger entries and is stored nowhere else. `anchor_paid_at` is
    the payment whose date chose the rule version, frozen for the invoice (A12).
    """

    __tablename__ = "rewards"
    __table_args__ = (
        UniqueConstraint(
            "invoice_id",
            "integration_id",
            "rule_version_id",
            "partner_id",
            "seq",
            name="uq_rewards",
        ),
        CheckConstraint(f"status IN {STATUSES}", name="status_is_known"),
        CheckConstraint("(status = 'hold') = (hold_reason IS NOT NULL)", name="hold_has_reason"),
        Index(None, "partner_id", "id"),
        Index(None, "customer_id", "id"),
        Index(None, "transaction_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    # No foreign keys to the few rows that all rewards share: checking them on every insert would
    # lock those rows again and again. `rewards check` looks for strays.
    integration_id: Mapped[int] = mapped_column(BigKey)
    invoice_id: Mapped[str]  # Chargebee invoice id
    rule_version_id: Mapped[int] = mapped_column(BigKey)
    partner_id: Mapped[int] = mapped_column(BigKey)
    seq: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    transaction_id: Mapped[int] = mapped_column(BigKey)  # earliest payment, DOMAIN A4
    currency: Mapped[str]
    status: Mapped[str]
    hold_reason: Mapped[str | None]
    available_on: Mapped[date]
    anchor_paid_at: Mapped[datetime] = mapped_column(UtcDateTime)
    explanation: Mapped[Any] = mapped_column(Json, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class RewardStatusChange(Base):
    """A move of a reward from one status to another. Rows are added, never changed (DOMAIN V1)."""

    __tablename__ = "reward_status_changes"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reward_id: Mapped[int] = mapped_column(ForeignKey(Reward.id), index=True)
    from_status: Mapped[str]
    to_status: Mapped[str]
    reason: Mapped[str | None]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class LedgerEntry(Base):
    """One posting of a difference to a reward. Rows are added, never changed (DOMAIN V1)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (CheckConstraint(f"kind IN {ENTRY_KINDS}", name="kind_is_known"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reward_id: Mapped[int] = mapped_column(ForeignKey(Reward.id), index=True)
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigKey)
    cause_event_id: Mapped[int | None] = mapped_column(BigKey)  # None: posted by a person
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class LedgerPosting(Base):
    """One side of an entry on one account of a partner; the sides of an entry sum to 0 (V8)."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint(f"account IN {ACCOUNTS}", name="account_is_known"),
        Index(None, "partner_id", "currency", "account"),
    )

    entry_id: Mapped[int] = mapped_column(
        ForeignKey(LedgerEntry.id), primary_key=True, autoincrement=False
    )
    account: Mapped[str] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(BigKey)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigKey)  # debit positive, credit negative
