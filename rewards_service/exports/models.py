"""Exports: who asked for which list or report as a file, how far it is, and the file itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.accounts.models import ApiKey
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

WAITING, RUNNING, DONE, FAILED, EXPIRED = "waiting", "running", "done", "failed", "expired"
STATES = (WAITING, RUNNING, DONE, FAILED, EXPIRED)
FORMATS = ("csv", "xlsx")
_OPEN = text("state IN ('waiting', 'running')")
_DONE = text("state = 'done'")


class Export(Base):
    """A list or report that a worker writes to a file for a key.

    `path` is the list's below /api/v1, `filters` its query as texts. A worker that is at it holds
    a lease; once that is over, another one begins again. `attempts` counts beginnings. `rows`
    grows while it runs; `size` and `sha256` are of the whole file.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_is_known"),
        CheckConstraint(f"format IN {FORMATS}", name="format_is_known"),
        Index(None, "key_id", "id"),
        Index("ix_exports_open", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_exports_expires_at", "expires_at", postgresql_where=_DONE, sqlite_where=_DONE),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey(ApiKey.id))
    path: Mapped[str]
    filters: Mapped[Any] = mapped_column(Json)
    format: Mapped[str]
    state: Mapped[str] = mapped_column(default=WAITING)
    rows: Mapped[int] = mapped_column(BigKey, default=0)
    size: Mapped[int | None] = mapped_column(BigKey)
    sha256: Mapped[str | None]
    file_name: Mapped[str]
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ExportChunk(Base):
    """A piece of an export's file, from 0 on; compressed (zlib)."""

    __tablename__ = "export_chunks"

    export_id: Mapped[int] = mapped_column(
        ForeignKey(Export.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
