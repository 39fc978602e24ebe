"""How far what is old was thrown away."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.db import Base, BigKey, UtcDateTime


class RetentionMark(Base):
    """Where the next run of one kind goes on: all rows up to `through_id` are done with."""

    __tablename__ = "retention_marks"

    name: Mapped[str] = mapped_column(primary_key=True)
    through_id: Mapped[int] = mapped_column(BigKey, default=0)
    ran_at: Mapped[datetime] = mapped_column(UtcDateTime)
