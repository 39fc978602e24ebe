"""Generic properties of customers and transactions, found by value through an index."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, UtcDateTime


class PropertyDefinition(Base):
    """A property that things of one kind may carry, such as "Chargebee Transaction ID"."""

    __tablename__ = "property_definitions"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]  # "customer" or "transaction"
    label: Mapped[str]
    is_unique: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PropertyValue(Base):
    """One value of one property, as known at one site.

    A unique property names at most one thing per (site, value), and a thing carries at most one
    value of it per site; an invoice id is shared by all payments of the invoice (DOMAIN M10).
    """

    __tablename__ = "property_values"
    __table_args__ = (
        Index(
            "uq_property_values_unique_value",
            "value",
            "definition_id",
            "integration_id",
            unique=True,
            postgresql_where=text("is_unique"),
            sqlite_where=text("is_unique"),
        ),
        Index(
            "ix_property_values_value",
            "value",
            "definition_id",
            "integration_id",
            postgresql_where=text("NOT is_unique"),
            sqlite_where=text("NOT is_unique"),
        ),
    )

    subject_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    definition_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    integration_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str]
    is_unique: Mapped[bool]
