"""Partners, and when they were active."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, UtcDateTime

STATUSES = ("applicant", "active", "paused", "declined")


class Partner(Base):
    """Somebody who brings leads and deals and earns rewards."""

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str | None] = mapped_column(index=True)  # strict key, DOMAIN E1
    loose_key: Mapped[str | None]
    key_version: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(index=True)
    payout_currency: Mapped[str | None]
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


class PartnerProgram(Base):
    """A partner's enrolment in a programme; those live a floor up, so no foreign key here."""

    __tablename__ = "partner_programs"

    partner_id: Mapped[int] = mapped_column(
        ForeignKey(Partner.id), primary_key=True, autoincrement=False
    )
    program_id: Mapped[int] = mapped_column(
        BigKey, primary_key=True, autoincrement=False, index=True
    )
