"""Subscriptions and what hangs on their newest version; enough to compute MRR from."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.db import Base, BigKey, UtcDateTime
from rewards_service.mirror.rows import Custom, MirroredRow, Part, Tier


class ChargebeeSubscription(MirroredRow, Custom, Base):
    """A subscription; `mrr_minor` and `arr_minor` are what Chargebee itself makes of it."""

    __tablename__ = "chargebee_subscriptions"
    __table_args__ = (Index(None, "customer_id", "integration_id"),)

    customer_id: Mapped[str | None]
    status: Mapped[str | None]
    currency: Mapped[str | None]
    base_currency: Mapped[str | None]
    exchange_rate: Mapped[str | None]  # decimal text, without zeros at its end
    billing_period: Mapped[int | None] = mapped_column(BigKey)
    billing_period_unit: Mapped[str | None]
    remaining_billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of one that is yet to start
    trial_start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trial_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    term_start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    term_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_billing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pause_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str | None]
    cancel_reason_code: Mapped[str | None]
    has_scheduled_changes: Mapped[bool | None]
    changes_scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_since_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mrr_minor: Mapped[int | None] = mapped_column(BigKey)
    arr_minor: Mapped[int | None] = mapped_column(BigKey)
    setup_fee_minor: Mapped[int | None] = mapped_column(BigKey)
    business_entity_id: Mapped[str | None]
    gift_id: Mapped[str | None]
    decommissioned: Mapped[bool | None]


class _OfSubscription(Part):
    subscription_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)


class ChargebeeSubscriptionItem(_OfSubscription, Base):
    """What is subscribed to, in the words of invoice lines: an item price; or a plan or addon of
    Product Catalog 1.0. `amount_minor` is the whole of it, with tiers and free quantity."""

    __tablename__ = "chargebee_subscription_items"

    entity_type: Mapped[str | None]
    entity_id: Mapped[str | None]
    quantity: Mapped[int | None] = mapped_column(BigKey)
    unit_minor: Mapped[int | None] = mapped_column(BigKey)
    amount_minor: Mapped[int | None] = mapped_column(BigKey)
    free_quantity: Mapped[int | None] = mapped_column(BigKey)
    quantity_in_decimal: Mapped[str | None]  # these four win over their integers
    unit_in_decimal: Mapped[str | None]
    amount_in_decimal: Mapped[str | None]
    free_quantity_in_decimal: Mapped[str | None]
    metered_quantity: Mapped[str | None]
    billing_period: Mapped[int | None] = mapped_column(BigKey)
    billing_period_unit: Mapped[str | None]
    billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    service_period_days: Mapped[int | None] = mapped_column(BigKey)
    trial_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    term_start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    term_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_billing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    charge_on_event: Mapped[str | None]
    proration_type: Mapped[str | None]


class ChargebeeSubscriptionTier(_OfSubscription, Tier, Base):
    """A band of the price of one of its items."""

    __tablename__ = "chargebee_subscription_tiers"

    entity_id: Mapped[str | None]  # the item price
    item_index: Mapped[int | None] = mapped_column(BigKey)


class ChargebeeSubscriptionDiscount(_OfSubscription, Base):
    """A discount on the subscription or on one of its items."""

    __tablename__ = "chargebee_subscription_discounts"

    discount_id: Mapped[str | None]
    kind: Mapped[str | None]  # fixed_amount, percentage, offer_quantity
    percentage: Mapped[str | None]  # decimal text
    amount_minor: Mapped[int | None] = mapped_column(BigKey)
    quantity: Mapped[int | None] = mapped_column(BigKey)  # free units
    currency: Mapped[str | None]
    duration_type: Mapped[str | None]  # one_time, forever, limited_period
    period: Mapped[int | None] = mapped_column(BigKey)
    period_unit: Mapped[str | None]
    apply_on: Mapped[str | None]  # invoice_amount, specific_item_price
    entity_id: Mapped[str | None]  # the item price
    item_index: Mapped[int | None] = mapped_column(BigKey)
    apply_till_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    applied_count: Mapped[int | None] = mapped_column(BigKey)
    included_in_mrr: Mapped[bool | None]
    coupon_id: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChargebeeSubscriptionCoupon(_OfSubscription, Base):
    """A coupon that was redeemed for the subscription."""

    __tablename__ = "chargebee_subscription_coupons"

    coupon_id: Mapped[str | None]
    coupon_code: Mapped[str | None]
    apply_till_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    applied_count: Mapped[int | None] = mapped_column(BigKey)


class ChargebeeContractTerm(_OfSubscription, Base):
    """How long the subscription is committed to; `position` is 0: there is one at a time."""

    __tablename__ = "chargebee_contract_terms"

    term_id: Mapped[str | None]
    status: Mapped[str | None]
    start_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    remaining_billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    action_at_end: Mapped[str | None]  # renew, evergreen, cancel, renew_once
    cutoff_period_days: Mapped[int | None] = mapped_column(BigKey)
    value_minor: Mapped[int | None] = mapped_column(BigKey)
    value_before_tax_minor: Mapped[int | None] = mapped_column(BigKey)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
