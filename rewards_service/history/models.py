"""A backfill: how far the history of a Chargebee site was fetched, list by list."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, UtcDateTime

RUNNING = "running"
PAUSED = "paused"
FAILED = "failed"
POSTING = "posting"
DONE = "done"
STATES = (RUNNING, PAUSED, FAILED, POSTING, DONE)
AT_WORK = (RUNNING, POSTING)
OPEN = (RUNNING, PAUSED, FAILED, POSTING)

_IS_OPEN = text(f"state IN {OPEN}")
_IS_AT_WORK = text(f"state IN {AT_WORK}")


class Backfill(Base):
    """One import of a site's history. At most one of an integration is open.

    `posting`: its lists are fetched, and the payments of the past are being put on the event log.
    A lease marks the process that is at it: it must still hold its token to keep what it did.
    """

    __tablename__ = "backfills"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_is_known"),
        Index(
            "uq_backfills_open",
            "integration_id",
            unique=True,
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index("ix_backfills_at_work", "id", postgresql_where=_IS_AT_WORK, sqlite_where=_IS_AT_WORK),
        Index(None, "integration_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey(Integration.id))
    state: Mapped[str] = mapped_column(default=RUNNING)
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)  # in vain, one after the other
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: at once
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    posted_events: Mapped[int] = mapped_column(BigKey, default=0)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    fetched_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # all lists were read to the end
    posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # last time


class BackfillList(Base):
    """One list of a backfill, and the offset from which it goes on.

    `listed`: objects that Chargebee showed; `kept`: those of them that were news; `refused`: those
    that could not be read, each an event of its own in quarantine.
    """

    __tablename__ = "backfill_lists"

    backfill_id: Mapped[int] = mapped_column(
        ForeignKey(Backfill.id), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    next_offset: Mapped[str | None]  # None: from the beginning, unless it is over
    is_over: Mapped[bool] = mapped_column(default=False)
    pages: Mapped[int] = mapped_column(default=0)
    listed: Mapped[int] = mapped_column(BigKey, default=0)
    kept: Mapped[int] = mapped_column(BigKey, default=0)
    refused: Mapped[int] = mapped_column(BigKey, default=0)
