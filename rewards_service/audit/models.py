"""Who did what to what, and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime


class AuditEntry(Base):
    """One change that bears on money or access. Rows are added, never changed.

    Ids are without gaps, in the order of commits; each `hash` seals the entry and the hash before
    it, so that a row that was changed, taken out or put in is found. PostgreSQL holds them by
    months of `at` (`kit.partitions`): there the key is (id, at), and ids are unique because
    whoever gives them holds the head.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "subject_kind", "subject_id"),
        Index(None, "actor", "id"),
        Index(None, "action", "id"),
        Index(None, "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    actor: Mapped[str]  # "key:3", "machine", "cli"
    action: Mapped[str]  # "customer.linked_existing", "partner.updated", ...
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigKey)
    detail: Mapped[Any] = mapped_column(Json)  # what changed; never personal data or secrets
    reason: Mapped[str | None]  # as the person gave it
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class AuditHead(Base):
    """The one row that says where the log ends: who cuts entries off the end is found out.

    Locked by whoever adds entries, from just before commit on.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)  # always 1
    last_id: Mapped[int] = mapped_column(BigKey)
    hash: Mapped[bytes]
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of the last entry


class AuditAnchor(Base):
    """The last entry of a part of the log that was taken off: what is left continues from it."""

    __tablename__ = "audit_anchors"

    last_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    name: Mapped[str]  # of the table that holds the part
    detached_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
