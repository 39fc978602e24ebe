"""How far the event log of each connected site was read, and how the last reading went."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.integrations.models import Integration
from rewards_service.kit.db import Base, UtcDateTime

EVERY = timedelta(minutes=5)


class EventPoll(Base):
    """The reading of one site's event log.

    Everything before `cursor_at` was read and committed. A reading that broke off has a
    `next_offset`: it was begun at `read_at`, from `first_at` on. A lease keeps readers apart; who
    holds it writes all of these together with the events that they cover. While `problem_code` is
    set the last try failed, and so did all since `failing_since_at`.
    """

    __tablename__ = "event_polls"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey(Integration.id), primary_key=True, autoincrement=False
    )
    cursor_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: no event was read yet
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_offset: Mapped[str | None]
    next_poll_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: at once
    attempted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # read to the log's end
    problem_code: Mapped[str | None]
    problem_detail: Mapped[str | None]
    failing_since_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
