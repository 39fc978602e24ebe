"""Chargebee as it stands: the newest version of each object, and every version ever received.

Rows are keyed by Chargebee's own ids within an integration, so that a batch writes them without
reading keys back. Newest is the highest (resource_version, occurred_at, SHA-256 of the canonical
JSON); a deletion is final. Lines and applications always belong to the newest version.
Keys and indexes begin with the Chargebee id: one that begins with the integration tempts the
planner of a young database into reading all rows of a site.
"""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.db import Base, BigKey, UtcDateTime
from rewards_service.mirror.rows import Custom, Foreign, Line, MirroredRow, Part


class ChargebeeVersion(Base):
    """One version of one object as an event carried it. Rows are added, never changed."""

    __tablename__ = "chargebee_versions"

    external_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    resource_version: Mapped[int] = mapped_column(BigKey)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_event_id: Mapped[int] = mapped_column(BigKey)
    body: Mapped[bytes] = mapped_column(LargeBinary)  # canonical JSON


class ChargebeeCustomer(MirroredRow, Custom, Base):
    """A Chargebee customer; `root_id` is the top of its account hierarchy."""

    __tablename__ = "chargebee_customers"

    email: Mapped[str | None]
    country: Mapped[str | None]  # of the billing address, ISO 3166
    parent_id: Mapped[str | None]
    root_id: Mapped[str | None]
    payment_owner_id: Mapped[str | None]
    invoice_owner_id: Mapped[str | None]
    company: Mapped[str | None]
    business_entity_id: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChargebeeInvoice(MirroredRow, Custom, Foreign, Base):
    """An invoice; `lines_net_minor` and `lines_gross_minor` are sums over its lines (A2)."""

    __tablename__ = "chargebee_invoices"
    __table_args__ = (Index(None, "customer_id", "integration_id"),)

    customer_id: Mapped[str]
    subscription_id: Mapped[str | None]
    status: Mapped[str]
    currency: Mapped[str]
    price_type: Mapped[str]
    total_minor: Mapped[int] = mapped_column(BigKey)
    tax_minor: Mapped[int] = mapped_column(BigKey)
    write_off_minor: Mapped[int] = mapped_column(BigKey)
    lines_net_minor: Mapped[int] = mapped_column(BigKey)
    lines_gross_minor: Mapped[int] = mapped_column(BigKey)
    invoiced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_gifted: Mapped[bool]
    country: Mapped[str | None]  # of the billing address, ISO 3166
    received_event_id: Mapped[int | None] = mapped_column(BigKey)  # that brought this version
    recurring: Mapped[bool | None]
    first_invoice: Mapped[bool | None]
    has_advance_charges: Mapped[bool | None]
    dunning_status: Mapped[str | None]
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    business_entity_id: Mapped[str | None]


class ChargebeeInvoiceLine(Line, Base):
    """A line of an invoice."""

    __tablename__ = "chargebee_invoice_lines"

    invoice_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)


class ChargebeeDiscount(Part, Base):
    """A discount of an invoice or credit note (`kind`).

    At the level `document` as the whole says it, at the level `line` its share of a line: the
    same money twice, for two questions.
    """

    __tablename__ = "chargebee_discounts"

    document_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)
    kind: Mapped[str] = mapped_column(primary_key=True, sort_order=-2)  # invoice, credit_note
    level: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)  # document, line
    line_id: Mapped[str | None]
    discount_type: Mapped[str | None]  # item_level_coupon, document_level_discount, ...
    entity_id: Mapped[str | None]  # of the coupon, discount or credit
    coupon_id: Mapped[str | None]
    amount_minor: Mapped[int | None] = mapped_column(BigKey)


class ChargebeeTax(Part, Base):
    """A tax of an invoice or credit note (`kind`), by the whole and by line as discounts are."""

    __tablename__ = "chargebee_taxes"

    document_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)
    kind: Mapped[str] = mapped_column(primary_key=True, sort_order=-2)
    level: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    line_id: Mapped[str | None]
    name: Mapped[str | None]
    rate: Mapped[str | None]  # per cent, decimal text
    amount_minor: Mapped[int | None] = mapped_column(BigKey)
    taxable_minor: Mapped[int | None] = mapped_column(BigKey)
    jurisdiction_type: Mapped[str | None]
    jurisdiction: Mapped[str | None]


class ChargebeeTransaction(MirroredRow, Base):
    """A payment, refund or reversal; amounts are positive, the direction is in `kind`.

    `source_id` is the payment that a refund or reversal takes back.
    """

    __tablename__ = "chargebee_transactions"
    __table_args__ = (
        Index(None, "source_id", "integration_id"),
        Index(None, "dated_at", "external_id"),
    )

    customer_id: Mapped[str | None]
    kind: Mapped[str]  # payment, refund, payment_reversal, authorization
    status: Mapped[str]
    payment_method: Mapped[str | None]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigKey)
    unused_minor: Mapped[int] = mapped_column(BigKey)
    base_currency: Mapped[str | None]
    exchange_rate: Mapped[str | None]  # decimal text, without zeros at its end
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source_id: Mapped[str | None]
    received_event_id: Mapped[int | None] = mapped_column(BigKey)  # that brought this version


class PaymentApplication(Base):
    """What a payment applied to an invoice, by the payment's newest version (DOMAIN M18).

    An application that a newer version no longer lists stays with 0: the payment once paid it.
    """

    __tablename__ = "chargebee_payment_applications"
    __table_args__ = (Index(None, "invoice_id", "integration_id"),)

    transaction_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    applied_minor: Mapped[int] = mapped_column(BigKey)


class RefundNote(Base):
    """How much of a refund a credit note assigns to which invoice (DOMAIN A2)."""

    __tablename__ = "chargebee_refund_notes"

    transaction_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    note_id: Mapped[str] = mapped_column(primary_key=True)
    invoice_id: Mapped[str | None]
    applied_minor: Mapped[int] = mapped_column(BigKey)


class ChargebeeCreditNote(MirroredRow, Custom, Foreign, Base):
    """A credit note; only adjustment notes lower what an invoice can earn (DOMAIN A3).

    One that was voided keeps its row, so that no older version comes back, and nothing else.
    """

    __tablename__ = "chargebee_credit_notes"
    __table_args__ = (
        Index(None, "invoice_id", "integration_id"),
        Index(None, "dated_at", "external_id"),
    )

    customer_id: Mapped[str | None]
    invoice_id: Mapped[str | None]
    kind: Mapped[str]  # adjustment, refundable
    status: Mapped[str]
    reason_code: Mapped[str | None]
    currency: Mapped[str]
    price_type: Mapped[str]
    total_minor: Mapped[int] = mapped_column(BigKey)
    net_minor: Mapped[int] = mapped_column(BigKey)
    gross_minor: Mapped[int] = mapped_column(BigKey)
    dated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_event_id: Mapped[int | None] = mapped_column(BigKey)  # that brought this version
    subscription_id: Mapped[str | None]
    create_reason_code: Mapped[str | None]
    allocated_minor: Mapped[int | None] = mapped_column(BigKey)
    refunded_minor: Mapped[int | None] = mapped_column(BigKey)
    available_minor: Mapped[int | None] = mapped_column(BigKey)
    refunded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    business_entity_id: Mapped[str | None]


class ChargebeeCreditNoteLine(Line, Base):
    """A line of a credit note, and the invoice line that it takes back (DOMAIN A3, by_line)."""

    __tablename__ = "chargebee_credit_note_lines"

    note_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-3)
    gross_minor: Mapped[int] = mapped_column(BigKey)


class CreditApplication(Base):
    """What a refundable credit note paid of an invoice, by the invoice's newest version (A3)."""

    __tablename__ = "chargebee_credit_applications"
    __table_args__ = (Index(None, "note_id", "integration_id"),)

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    note_id: Mapped[str] = mapped_column(primary_key=True)
    applied_minor: Mapped[int] = mapped_column(BigKey)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
