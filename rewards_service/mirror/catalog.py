"""What a site sells, by Product Catalog 2.0 (families, items, prices) and 1.0 (plans, addons)."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.db import Base, BigKey, UtcDateTime
from rewards_service.mirror.rows import Custom, MirroredRow, Price, Tier


class ChargebeeItemFamily(MirroredRow, Custom, Base):
    """A product line: items belong to one."""

    __tablename__ = "chargebee_item_families"

    name: Mapped[str | None]
    status: Mapped[str | None]


class ChargebeeItem(MirroredRow, Custom, Base):
    """A plan, addon or charge, apart from what it costs."""

    __tablename__ = "chargebee_items"

    item_family_id: Mapped[str | None]
    kind: Mapped[str | None]  # plan, addon, charge
    name: Mapped[str | None]
    status: Mapped[str | None]
    unit: Mapped[str | None]
    metered: Mapped[bool | None]
    usage_calculation: Mapped[str | None]
    included_in_mrr: Mapped[bool | None]
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChargebeeItemPrice(MirroredRow, Custom, Price, Base):
    """What an item costs in one currency and period."""

    __tablename__ = "chargebee_item_prices"

    item_id: Mapped[str | None]
    item_family_id: Mapped[str | None]
    item_kind: Mapped[str | None]
    parent_item_id: Mapped[str | None]
    trial_period: Mapped[int | None] = mapped_column(BigKey)
    trial_period_unit: Mapped[str | None]
    free_quantity: Mapped[int | None] = mapped_column(BigKey)
    free_quantity_in_decimal: Mapped[str | None]
    billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChargebeePlan(MirroredRow, Custom, Price, Base):
    """A plan of Product Catalog 1.0."""

    __tablename__ = "chargebee_plans"

    trial_period: Mapped[int | None] = mapped_column(BigKey)
    trial_period_unit: Mapped[str | None]
    free_quantity: Mapped[int | None] = mapped_column(BigKey)
    free_quantity_in_decimal: Mapped[str | None]
    billing_cycles: Mapped[int | None] = mapped_column(BigKey)
    setup_cost_minor: Mapped[int | None] = mapped_column(BigKey)


class ChargebeeAddon(MirroredRow, Custom, Price, Base):
    """An addon of Product Catalog 1.0; `charge_type` says whether it comes again."""

    __tablename__ = "chargebee_addons"

    charge_type: Mapped[str | None]  # recurring, non_recurring
    unit: Mapped[str | None]
    included_in_mrr: Mapped[bool | None]


class ChargebeePriceTier(Tier, Base):
    """A band of an item price, plan or addon (`kind` says which)."""

    __tablename__ = "chargebee_price_tiers"

    price_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)
    kind: Mapped[str] = mapped_column(primary_key=True, sort_order=-2)


class ChargebeeGift(MirroredRow, Base):
    """A subscription that one customer gave to another."""

    __tablename__ = "chargebee_gifts"

    status: Mapped[str | None]
    gifter_customer_id: Mapped[str | None]
    gifter_invoice_id: Mapped[str | None]
    receiver_customer_id: Mapped[str | None]
    receiver_subscription_id: Mapped[str | None]
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
