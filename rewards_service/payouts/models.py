"""Payouts: what one partner is paid in one currency, line by line, and how it became so."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime
from rewards_service.partners.models import Partner
from rewards_service.programs.models import Program
from rewards_service.rewards.models import Reward

STATUSES = ("draft", "pending", "ready", "paid", "cancelled")
OPEN_STATUSES = ("draft", "pending", "ready")
# Why a draft cannot be submitted: no exchange rate, or nothing is left of it once converted.
RATE_MISSING, NOT_POSITIVE = "rate_missing", "not_positive"
PROBLEMS = (RATE_MISSING, NOT_POSITIVE)
FORMATS = ("csv", "xlsx", "paypal", "wise", "sepa")
SCHEDULE_KINDS = ("monthly", "quarterly", "threshold")


class PayoutSchedule(Base):
    """When drafts are made by themselves, and for whom.

    `program_id` None: for all partners; days count in the programme's time zone, else in UTC.
    `thresholds` {"EUR": 5000}, minor units: below it a partner waits. `from_on`: the first day
    that counts, so that switching a schedule on makes no drafts for days gone by.
    """

    __tablename__ = "payout_schedules"
    __table_args__ = (
        CheckConstraint(f"kind IN {SCHEDULE_KINDS}", name="kind_is_known"),
        CheckConstraint("day BETWEEN 1 AND 28", name="day_is_in_every_month"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str]
    day: Mapped[int]  # of the month; threshold schedules look every day
    program_id: Mapped[int | None] = mapped_column(ForeignKey(Program.id))
    thresholds: Mapped[Any] = mapped_column(Json)
    enabled: Mapped[bool]
    from_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class PayoutRun(Base):
    """A day on which a schedule made its drafts: once, whoever else tries (unique)."""

    __tablename__ = "payout_runs"
    __table_args__ = (UniqueConstraint("schedule_id", "due_on"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(
        ForeignKey(PayoutSchedule.id, ondelete="CASCADE"), index=True
    )
    due_on: Mapped[date]
    payouts: Mapped[int]  # how many were made
    ran_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Payout(Base):
    """What one partner gets in one currency: the sum of its lines, never changed once made (V6).

    `pay_currency` is what the partner is paid in. `pay_total_minor` is the total converted into
    it, None as long as `problem` says why not (V7). `ledger_sha256` is the digest of the ledger
    entries of its rewards: whatever is posted to one of them afterwards shows.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status_is_known"),
        CheckConstraint("total_minor > 0", name="total_is_positive"),
        CheckConstraint("pay_total_minor > 0", name="pay_total_is_positive"),
        CheckConstraint(
            "(problem IS NULL) = (pay_total_minor IS NOT NULL)", name="unconverted_has_problem"
        ),
        CheckConstraint("problem IS NULL OR status IN ('draft', 'cancelled')", name="held"),
        CheckConstraint("(status = 'paid') = (paid_on IS NOT NULL)", name="paid_has_day"),
        Index(None, "partner_id", "currency"),
        Index(None, "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey(Partner.id))
    currency: Mapped[str]
    cut_off_on: Mapped[date]
    status: Mapped[str]
    problem: Mapped[str | None]
    total_minor: Mapped[int] = mapped_column(BigKey)
    line_count: Mapped[int]
    ledger_sha256: Mapped[str]
    pay_currency: Mapped[str]
    pay_total_minor: Mapped[int | None] = mapped_column(BigKey)
    invoice_number: Mapped[str | None]
    ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_on: Mapped[date | None]  # when the money left, by whoever sent it
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when we were told
    reference: Mapped[str | None]  # of the payment, at the bank or provider
    schedule_id: Mapped[int | None] = mapped_column(BigKey)  # None: made by a person
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class PayoutLine(Base):
    """One reward in a payout, with its amount as it was then; negative: a clawback that is netted.

    A reward is in at most one payout that is not cancelled: `active` lines are unique. `rate` is
    exact, "1.0842" or a fraction such as "1/1.0842"; None where nothing is converted.
    """

    __tablename__ = "payout_lines"
    __table_args__ = (
        UniqueConstraint("payout_id", "reward_id"),
        Index(
            "uq_payout_lines_active_reward",
            "reward_id",
            unique=True,
            postgresql_where=text("active"),
            sqlite_where=text("active"),
        ),
        CheckConstraint("amount_minor <> 0", name="amount_is_not_nothing"),
        Index(None, "payout_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey(Payout.id))
    reward_id: Mapped[int] = mapped_column(ForeignKey(Reward.id), index=True)
    amount_minor: Mapped[int] = mapped_column(BigKey)
    rate: Mapped[str | None]
    rate_on: Mapped[date | None]
    rate_source: Mapped[str | None]
    pay_amount_minor: Mapped[int | None] = mapped_column(BigKey)
    active: Mapped[bool] = mapped_column(default=True)


class PayoutStatusChange(Base):
    """A move of a payout from one status to another. Rows are added, never changed."""

    __tablename__ = "payout_status_changes"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey(Payout.id), index=True)
    from_status: Mapped[str | None]  # None: made
    to_status: Mapped[str]
    reason: Mapped[str | None]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PayoutInvoice(Base):
    """An invoice that the partner wrote for a payout; the newest one counts. Rows are added."""

    __tablename__ = "payout_invoices"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey(Payout.id), index=True)
    number: Mapped[str]
    media_type: Mapped[str | None]
    sha256: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PayoutExport(Base):
    """A file that was handed out for one or more payouts, kept as it was. Rows are added.

    `subject_sha256` stands for the set of payouts in it: the same set asked for again gets the
    same file, as long as nothing it shows has changed.
    """

    __tablename__ = "payout_exports"
    __table_args__ = (Index(None, "subject_sha256", "format", "part"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    subject_sha256: Mapped[str]
    format: Mapped[str]
    part: Mapped[int]
    parts: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PayoutExportMember(Base):
    """A payout that is in an exported file. Rows are added."""

    __tablename__ = "payout_export_members"

    payout_id: Mapped[int] = mapped_column(ForeignKey(Payout.id), primary_key=True)
    export_id: Mapped[int] = mapped_column(ForeignKey(PayoutExport.id), primary_key=True)


class ExchangeRate(Base):
    """How much of one currency a unit of another was worth on a day, and who says so (V7).

    Rows are added: of two for the same day the later one counts, and what was converted by the
    former stays as it is.
    """

    __tablename__ = "exchange_rates"
    __table_args__ = (Index(None, "from_currency", "to_currency", "rate_on"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    from_currency: Mapped[str]
    to_currency: Mapped[str]
    rate_on: Mapped[date]
    rate: Mapped[str]  # a decimal number as text, units of `to_currency` for 1 `from_currency`
    source: Mapped[str]
    actor: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
