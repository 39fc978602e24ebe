"""Rewards, the double-entry ledger that gives them their amounts, and their explanations."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.crm.models import Customer
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, Total, UtcDateTime

STATUSES = ("pending", "hold", "approved", "declined", "in_payout", "paid")
OPEN_STATUSES = ("pending", "hold", "approved")
ENTRY_KINDS = ("earn", "reverse", "adjust", "cap_release", "manual")
# What a person posts: recalculation leaves it alone. One of amount 0 adds nothing to its reward:
# it carries what is owed from one account to another as the reward changes its status.
BY_HAND = ("adjust", "manual")
ACCOUNTS = (
    "expense", "payable_pending", "payable_approved", "payable_in_payout", "paid",
    "clawback_receivable",
)  # fmt: skip
# What an entry does to what a partner is owed; an entry that only carries it does nothing to it.
EFFECTS = ("earned", "reversed", "adjusted", "declined", "paid")
# What the clock may have to do with rewards (DOMAIN V5).
_IS_PENDING = text("status = 'pending'")
_ENDS = text("hold_until_on IS NOT NULL")
_ON_HOLD = text("status = 'hold'")
_HAS_EFFECT = text("effect IS NOT NULL")


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
        Index(None, "customer_id", "id"),
        # As lists are filtered, each in their order: any page costs the same.
        Index(None, "partner_id", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        Index(None, "currency", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(None, "transaction_id"),
        Index(
            "ix_rewards_due_for_approval",
            "rule_version_id",
            "available_on",
            postgresql_where=_IS_PENDING,
            sqlite_where=_IS_PENDING,
        ),
        Index(
            "ix_rewards_hold_until_on",
            "hold_until_on",
            postgresql_where=_ENDS,
            sqlite_where=_ENDS,
        ),
        Index(
            "ix_rewards_on_hold",
            "partner_id",
            "currency",
            postgresql_where=_ON_HOLD,
            sqlite_where=_ON_HOLD,
        ),
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
    hold_until_on: Mapped[date | None]  # a person's hold that ends by itself
    released_holds: Mapped[Any | None] = mapped_column(Json)  # reasons a person has lifted for good
    flags: Mapped[Any | None] = mapped_column(Json)  # for a reviewer to know; no hold
    available_on: Mapped[date]
    anchor_paid_at: Mapped[datetime] = mapped_column(UtcDateTime)
    explanation: Mapped[Any] = mapped_column(Json, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class RewardStatusChange(Base):
    """A move of a reward from one status to another. Rows are added, never changed (DOMAIN V1)."""

    __tablename__ = "reward_status_changes"
    __table_args__ = (Index(None, "at", postgresql_using="brin"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reward_id: Mapped[int] = mapped_column(ForeignKey(Reward.id), index=True)
    from_status: Mapped[str]
    to_status: Mapped[str]
    reason: Mapped[str | None]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class LedgerEntry(Base):
    """One posting of a difference to a reward. Rows are added, never changed (DOMAIN V1).

    Two clocks: `posted_at` is when we knew, `happened_at` when what it is about happened. `effect`
    says what it does to what the partner is owed and `owed_minor` by how much; None and 0: it only
    carries it from account to account. `opens`: the first entry of its reward.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN {ENTRY_KINDS}", name="kind_is_known"),
        Index(
            "ix_ledger_entries_of_partner",
            "partner_id",
            "happened_at",
            "id",
            postgresql_where=_HAS_EFFECT,
            sqlite_where=_HAS_EFFECT,
        ),
        Index(
            "ix_ledger_entries_as_known",
            "partner_id",
            "posted_at",
            postgresql_where=_HAS_EFFECT,
            sqlite_where=_HAS_EFFECT,
        ),
        # Both follow the order in which rows are added, more or less: a summary of blocks does.
        Index(None, "happened_at", postgresql_using="brin"),
        Index(None, "posted_at", postgresql_using="brin"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reward_id: Mapped[int] = mapped_column(ForeignKey(Reward.id), index=True)
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigKey)
    cause_event_id: Mapped[int | None] = mapped_column(BigKey)  # None: posted by a person
    reason: Mapped[str | None]  # of an entry that a person posted
    actor: Mapped[str | None]
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    # Always there, but SQLite cannot add a column that says so: `rewards check` looks (effects).
    partner_id: Mapped[int] = mapped_column(BigKey, nullable=True)
    currency: Mapped[str] = mapped_column(nullable=True)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=True)
    effect: Mapped[str | None]
    owed_minor: Mapped[int] = mapped_column(BigKey, nullable=True)
    opens: Mapped[bool] = mapped_column(nullable=True)


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


class RewardMonth(Base):
    """A partner's month in one currency: the sums of its ledger entries, by both clocks.

    `month_on` is the first day of the month in which things happened, `known_on` that of the one in
    which we knew, both of UTC: mostly they are the same, and what was known at a moment is the sum
    of the months before and a few entries. The first five numbers say what changed what the partner
    is owed and sum to the four that follow, which say on which account it stands: a debt of the
    partner's and what was paid are below zero. Over all months these four are the balance. Kept
    with every posting in its transaction; `months.rebuild` makes it anew.
    """

    __tablename__ = "reward_months"
    __table_args__ = (Index(None, "month_on", "partner_id", "currency"),)

    partner_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    month_on: Mapped[date] = mapped_column(primary_key=True)
    known_on: Mapped[date] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    earned_minor: Mapped[int] = mapped_column(Total)
    reversed_minor: Mapped[int] = mapped_column(Total)
    adjusted_minor: Mapped[int] = mapped_column(Total)
    declined_minor: Mapped[int] = mapped_column(Total)
    paid_minor: Mapped[int] = mapped_column(Total)
    pending_minor: Mapped[int] = mapped_column(Total)
    approved_minor: Mapped[int] = mapped_column(Total)
    in_payout_minor: Mapped[int] = mapped_column(Total)
    owed_back_minor: Mapped[int] = mapped_column(Total)
    rewards: Mapped[int]  # opened
    entries: Mapped[int] = mapped_column(BigKey)  # that had an effect


class RewardCount(Base):
    """What a rule that counts has counted for one invoice and partner: frozen facts and claims.

    `log_id` is the received event of the invoice's first earning payment: counters follow the
    order of the log (DOMAIN V10). `ordinal` is the invoice's place among those of the customer
    that the rule rewarded, `window_from_on` the first of their invoice dates (A11).
    `position` is what the partner's metric counted before this invoice (A9). `wanted_minor` is the
    target before caps, `given_minor` what was left of them (A10).
    """

    __tablename__ = "reward_counts"
    __table_args__ = (
        Index(None, "rule_id", "customer_id", "log_id"),
        Index(None, "rule_id", "partner_id", "counted_on"),
    )

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    rule_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    partner_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(BigKey)
    log_id: Mapped[int] = mapped_column(BigKey)
    currency: Mapped[str]
    counted_on: Mapped[date]  # day of the first earning payment, programme time zone
    invoice_on: Mapped[date]
    window_from_on: Mapped[date]
    ordinal: Mapped[int]
    position: Mapped[int] = mapped_column(BigKey)
    wanted_minor: Mapped[int] = mapped_column(BigKey)
    given_minor: Mapped[int] = mapped_column(BigKey)


class MetricEntry(Base):
    """What one payment added to, or one refund took from, a partner's tier metric (A9).

    Rows are added, never changed; a later correction is a further row.
    """

    __tablename__ = "metric_entries"
    __table_args__ = (
        Index(None, "rule_id", "partner_id", "currency", "counted_on"),
        Index(None, "invoice_id", "integration_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    rule_id: Mapped[int] = mapped_column(BigKey)
    partner_id: Mapped[int] = mapped_column(BigKey)
    currency: Mapped[str]
    integration_id: Mapped[int] = mapped_column(BigKey)
    invoice_id: Mapped[str]
    source_id: Mapped[str]  # Chargebee id of the payment, or of what took money back
    log_id: Mapped[int] = mapped_column(BigKey)
    counted_on: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(BigKey)
