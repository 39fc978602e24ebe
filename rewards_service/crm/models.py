"""Leads, deals, customers, and what payments said about who paid."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime
from rewards_service.partners.models import Partner

LEAD_STATUSES = ("pending", "accepted", "lost", "converted")
DEAL_STAGES = ("open", "won", "lost", "archived")
# All behind the last "@" of the key: trimmed off its end is whatever is no "@".
_DOMAIN = "replace(email_key, rtrim(email_key, replace(email_key, '@', '')), '')"


class Customer(Base):
    """A company or person that pays. Its Chargebee ids are properties (DOMAIN M10).

    `attributed_from` is the registration of the lead or deal that named the source partner:
    payments dated before it earn nothing (M16). `machine_made` rows were made by matching a
    payment and follow it when an earlier payment arrives (M17); then a row may turn out never to
    have been a customer: it is withdrawn, not deleted, for the ledger points to it. A pinned
    customer has rewards that were approved, or a person decided whose it is: the machine does not
    touch its attribution any more.
    """

    __tablename__ = "customers"
    __table_args__ = (Index(None, "email_domain", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str | None]
    email: Mapped[str | None]
    email_key: Mapped[str | None] = mapped_column(index=True)
    loose_key: Mapped[str | None] = mapped_column(index=True)  # for suggestions only, DOMAIN E4
    email_domain: Mapped[str | None] = mapped_column(Computed(_DOMAIN))  # likewise
    key_version: Mapped[int] = mapped_column(default=1)
    source_partner_id: Mapped[int | None] = mapped_column(ForeignKey(Partner.id), index=True)
    source_by_hand: Mapped[bool] = mapped_column(default=False)  # a person set it: it stays
    source_lead_id: Mapped[int | None] = mapped_column(BigKey)
    source_deal_id: Mapped[int | None] = mapped_column(BigKey)
    attributed_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold_reason: Mapped[str | None]  # "conflict" or "lead_pending": its rewards wait for a person
    machine_made: Mapped[bool] = mapped_column(default=False)
    matched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # payment that made it known
    pinned: Mapped[bool] = mapped_column(default=False)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class Lead(Base):
    """A person a partner brought. Converted at most once (DOMAIN M5)."""

    __tablename__ = "leads"
    __table_args__ = (
        CheckConstraint(f"status IN {LEAD_STATUSES}", name="status_is_known"),
        CheckConstraint(
            "(status = 'converted') = (customer_id IS NOT NULL)", name="converted_has_customer"
        ),
        Index(None, "email_domain", "id"),
        Index(None, "status", "id"),
        Index(None, "partner_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str | None] = mapped_column(index=True)
    loose_key: Mapped[str | None] = mapped_column(index=True)  # for suggestions only, DOMAIN E4
    email_domain: Mapped[str | None] = mapped_column(Computed(_DOMAIN))  # likewise
    key_version: Mapped[int] = mapped_column(default=1)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    company: Mapped[str | None]
    status: Mapped[str]
    status_before: Mapped[str | None]  # status that conversion replaced
    partner_id: Mapped[int | None] = mapped_column(ForeignKey(Partner.id))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey(Customer.id), index=True)
    converted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the payment's time
    superseded_by_id: Mapped[int | None] = mapped_column(BigKey)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class Deal(Base):
    """A sale a partner works on. Associated with one customer at most, for good (DOMAIN M8)."""

    __tablename__ = "deals"
    __table_args__ = (
        CheckConstraint(f"stage IN {DEAL_STAGES}", name="stage_is_known"),
        Index(None, "email_domain", "id"),
        Index(None, "stage", "id"),
        Index(None, "partner_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str]
    contact_email: Mapped[str | None]
    email_key: Mapped[str | None] = mapped_column(index=True)
    loose_key: Mapped[str | None] = mapped_column(index=True)  # for suggestions only, DOMAIN E4
    email_domain: Mapped[str | None] = mapped_column(Computed(_DOMAIN))  # likewise
    key_version: Mapped[int] = mapped_column(default=1)
    amount_minor: Mapped[int | None] = mapped_column(BigKey)
    currency: Mapped[str | None]
    stage: Mapped[str]
    partner_id: Mapped[int | None] = mapped_column(ForeignKey(Partner.id))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey(Customer.id), index=True)
    associated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the payment's time
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class DealShare(Base):
    """A partner's share of a deal in basis points; the shares of a deal sum to 10000 (S7)."""

    __tablename__ = "deal_shares"

    deal_id: Mapped[int] = mapped_column(ForeignKey(Deal.id), primary_key=True, autoincrement=False)
    partner_id: Mapped[int] = mapped_column(
        ForeignKey(Partner.id), primary_key=True, autoincrement=False, index=True
    )
    basis_points: Mapped[int]


class PaymentClaim(Base):
    """What one understood payment_succeeded event says about who paid, when, and by which e-mail.

    Attribution is worked out from all claims in the order of payment time, never of arrival
    (DOMAIN M16, M17). One row per event.
    """

    __tablename__ = "payment_claims"
    __table_args__ = (
        Index(None, "chargebee_customer_id", "integration_id"),
        Index(None, "email_key"),
        Index(None, "chargebee_transaction_id", "integration_id"),
    )

    received_event_id: Mapped[int] = mapped_column(
        ForeignKey(ReceivedEvent.id), primary_key=True, autoincrement=False
    )
    integration_id: Mapped[int] = mapped_column(BigKey)
    event_id: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    chargebee_transaction_id: Mapped[str]
    chargebee_customer_id: Mapped[str]
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    customer_name: Mapped[str | None]
    paid_at: Mapped[datetime] = mapped_column(UtcDateTime)
    convert_lead: Mapped[bool]
    associate_deal: Mapped[bool]
    create_transaction: Mapped[bool]
    first_wins: Mapped[bool]  # conflict policy in force on arrival


class AttributionConflict(Base):
    """Something the machine must not decide: listed with its evidence until a person does."""

    __tablename__ = "conflicts"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    natural_key: Mapped[str] = mapped_column(unique=True)  # the same conflict is opened once
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigKey)
    candidates: Mapped[Any] = mapped_column(Json)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None]
    resolution_reason: Mapped[str | None]
    decision: Mapped[Any | None] = mapped_column(Json)  # what was decided, with the keys it names
