"""Partners, and when they were active."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, UtcDateTime

STATUSES = ("applicant", "active", "paused", "declined")


class Partner(Base):
    """Somebody who brings leads and deals and earns rewards."""

    __tablename__ = "partners"
    __table_args__ = (
        Index(
            "ix_partners_name_beginning",
            literal_column("lower(name)").label("beginning"),
            "id",
            postgresql_ops={"beginning": "text_pattern_ops"},
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str | None] = mapped_column(index=True)  # strict key, DOMAIN E1
    loose_key: Mapped[str | None] = mapped_column(index=True)  # for flags only, DOMAIN E4
    key_version: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(index=True)
    payout_currency: Mapped[str | None]
    payout_details_encrypted: Mapped[str | None]  # bank account or PayPal address, sealed
    external_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class PartnerStatus(Base):
    """From when on a partner had a status; the first has no beginning.

    Needed because a reward asks for the status at the time of the payment (DOMAIN S4).
    """

    __tablename__ = "partner_statuses"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey(Partner.id), index=True)
    status: Mapped[str]
    from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Enrolment(Base):
    """A partner's time in a programme at a level; programmes live a floor up: no foreign key here.

    `from_at` None: since ever; `until_at` None: for good. Another level is another row. Payments
    dated within [from_at, until_at) earn by it. `level_id` None: at no particular level.
    """

    __tablename__ = "partner_enrolments"
    __table_args__ = (Index(None, "partner_id", "program_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey(Partner.id))
    program_id: Mapped[int] = mapped_column(BigKey, index=True)
    level_id: Mapped[int | None] = mapped_column(BigKey)
    from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When it was entered: what was rewarded before stays as it is.
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=utc_now)
