"""Who did what to what, and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime


class AuditEntry(Base):
    """One change that bears on money or access. Rows are added, never changed."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "subject_kind", "subject_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    actor: Mapped[str]  # "key:3", "machine", "cli"
    action: Mapped[str]  # "customer.linked_existing", "partner.updated", ...
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigKey)
    detail: Mapped[Any] = mapped_column(Json)  # what changed; never personal data or secrets
