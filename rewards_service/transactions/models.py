"""Payments of known customers, and which invoices have a reward to calculate."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.crm.models import Customer
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, UtcDateTime

STATUSES = ("succeeded", "partially_refunded", "refunded", "reversed")


class Transaction(Base):
    """One payment of a known customer, recorded once per (integration, Chargebee id).

    Money and status follow the newest mirrored version of the payment. `reason` says why it
    earned nothing; None when it earned. Withdrawn together with its customer (DOMAIN M17).
    """

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("chargebee_transaction_id", "integration_id"),
        CheckConstraint(f"status IN {STATUSES}", name="status_is_known"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded_within_amount"),
        Index(None, "customer_id", "id"),
        Index(None, "partner_id", "id"),
        Index(None, "occurred_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    partner_id: Mapped[int | None] = mapped_column(BigKey)  # the customer's source partner
    partner_by_hand: Mapped[bool] = mapped_column(default=False)  # then no shares of deals count
    chargebee_transaction_id: Mapped[str]
    received_event_id: Mapped[int] = mapped_column(ForeignKey(ReceivedEvent.id))
    amount_minor: Mapped[int] = mapped_column(BigKey)
    currency: Mapped[str]
    base_currency: Mapped[str | None]
    exchange_rate: Mapped[str | None]
    base_amount_minor: Mapped[int | None] = mapped_column(BigKey)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str]
    refunded_minor: Mapped[int] = mapped_column(BigKey)
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RewardDue(Base):
    """An invoice whose reward targets must be worked out again; gone once that is done.

    A job holds the row locked while it calculates: a cause that arrives meanwhile waits for it, and
    then makes the invoice due again. Attempts work as those of received events.
    """

    __tablename__ = "reward_due"

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    cause_event_id: Mapped[int | None] = mapped_column(BigKey)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead: Mapped[bool] = mapped_column(default=False)
