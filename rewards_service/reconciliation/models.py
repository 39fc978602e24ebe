"""Comparisons with Chargebee: who asked for which period, what was found, and each difference."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime
from rewards_service.reconciliation.reasons import STATES

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
RUN_STATES = (WAITING, RUNNING, DONE, FAILED)
_OPEN = text("state IN ('waiting', 'running')")


class Reconciliation(Base):
    """One comparison of a site with what is held of it here.

    The period is about the objects' own dates, from `from_at` to before `before_at`. Until it is
    done it stands at `section` and `position_at`: everything before is compared and counted. A
    worker that is at it holds a lease; another one goes on from there once that is over.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (
        CheckConstraint(f"state IN {RUN_STATES}", name="state_is_known"),
        Index(None, "integration_id", "id"),
        Index("ix_reconciliations_open", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey(Integration.id))
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    before_at: Mapped[datetime] = mapped_column(UtcDateTime)
    repair: Mapped[bool]
    asked_by: Mapped[str]  # "key:..", "cli", "nightly"
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    state: Mapped[str] = mapped_column(default=WAITING)
    section: Mapped[str]
    position_at: Mapped[datetime] = mapped_column(UtcDateTime)
    counts: Mapped[Any] = mapped_column(Json)  # state -> how many
    notes: Mapped[Any] = mapped_column(Json)  # reason of equal ones -> how many
    sums: Mapped[Any] = mapped_column(Json)  # rows as `sides.Sums.rows` gives them
    lookups: Mapped[int] = mapped_column(default=0)  # objects asked for one by one
    attempts: Mapped[int] = mapped_column(default=0)  # failed ones in a row
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    repaired: Mapped[Any | None] = mapped_column(Json)  # repair -> how many objects
    error: Mapped[str | None]
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReconciliationRow(Base):
    """An object in which the two sides differ, why, and what mends it."""

    __tablename__ = "reconciliation_rows"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_is_known"),
        Index(None, "reconciliation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reconciliation_id: Mapped[int] = mapped_column(ForeignKey(Reconciliation.id))
    section: Mapped[str]  # transaction, credit_note
    kind: Mapped[str | None]  # payment, refund, payment_reversal, adjustment, refundable
    external_id: Mapped[str]
    dated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str | None]  # of the event or record that is to blame
    received_event_id: Mapped[int | None] = mapped_column(BigKey)
    currency: Mapped[str | None]
    there_minor: Mapped[int | None] = mapped_column(BigKey)
    here_minor: Mapped[int | None] = mapped_column(BigKey)
    differences: Mapped[Any] = mapped_column(Json)  # rows of field, there, here


class ParentSearch(Base):
    """Up to which event of a site it was seen to that what it refers to is there (DOMAIN M15)."""

    __tablename__ = "parent_searches"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey(Integration.id), primary_key=True, autoincrement=False
    )
    after_event_id: Mapped[int] = mapped_column(BigKey)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
