"""What tables of the mirror have in common: key and version, free members, lines, tiers."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.db import BigKey, UtcDateTime


class MirroredRow:
    """Key and version of a mirrored object.

    `deleted_at` is when Chargebee deleted it, as far as was told; null while it is not `deleted`.
    """

    external_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    resource_version: Mapped[int] = mapped_column(BigKey)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    deleted: Mapped[bool]
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Custom:
    """Members that a site defines itself, each as canonical JSON; null when there are none."""

    custom_fields: Mapped[str | None]  # those named cf_..., with their case
    meta_data: Mapped[str | None]  # `meta_data` or `metadata`, as the object calls it


class Foreign:
    """What an amount is worth in other currencies; rates are decimal texts, never floats."""

    base_currency: Mapped[str | None]
    exchange_rate: Mapped[str | None]  # to the base currency of the site
    exchange_rates: Mapped[str | None]  # canonical JSON: rate by currency
    local_currency: Mapped[str | None]
    local_exchange_rate: Mapped[str | None]


class Part:
    """The place of something in the list of its object."""

    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Line(Part):
    """A line of an invoice or credit note; net is amount - discounts, without tax (DOMAIN A2)."""

    line_id: Mapped[str | None]
    entity_type: Mapped[str | None]
    entity_id: Mapped[str | None]  # of an item price, a plan or an addon, by its type
    subscription_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    amount_minor: Mapped[int] = mapped_column(BigKey)
    discount_minor: Mapped[int] = mapped_column(BigKey)
    tax_minor: Mapped[int] = mapped_column(BigKey)
    net_minor: Mapped[int] = mapped_column(BigKey)
    service_from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    service_to_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    item_discount_minor: Mapped[int | None] = mapped_column(BigKey)  # part of discount_minor
    unit_minor: Mapped[int | None] = mapped_column(BigKey)
    quantity: Mapped[int | None] = mapped_column(BigKey)
    unit_in_decimal: Mapped[str | None]  # major units; these three win over their integers
    quantity_in_decimal: Mapped[str | None]
    amount_in_decimal: Mapped[str | None]
    pricing_model: Mapped[str | None]
    metered: Mapped[bool | None]
    proration_mode: Mapped[str | None]
    reference_line_id: Mapped[str | None]  # the line that it continues or takes back


class Tier(Part):
    """A band of a price: from which unit to which (null: no end), and what it costs."""

    starting_unit: Mapped[int | None] = mapped_column(BigKey)
    ending_unit: Mapped[int | None] = mapped_column(BigKey)
    price_minor: Mapped[int | None] = mapped_column(BigKey)
    starting_unit_in_decimal: Mapped[str | None]
    ending_unit_in_decimal: Mapped[str | None]
    price_in_decimal: Mapped[str | None]
    pricing_type: Mapped[str | None]
    package_size: Mapped[int | None] = mapped_column(BigKey)


class Price:
    """What something costs in a period, whichever catalogue it is of.

    Decimal texts are in major units and win over the integers beside them.
    """

    name: Mapped[str | None]
    status: Mapped[str | None]
    pricing_model: Mapped[str | None]
    currency: Mapped[str | None]
    price_minor: Mapped[int | None] = mapped_column(BigKey)
    price_in_decimal: Mapped[str | None]
    period: Mapped[int | None] = mapped_column(BigKey)
    period_unit: Mapped[str | None]
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
