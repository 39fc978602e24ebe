"""Where our users want to be told of what happens, and what is to be told, once for each place."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
STATES = (PENDING, DELIVERED, FAILED)
# Why the service switched an endpoint off.
GONE, FAILING = "gone", "failing"
DISABLED_REASONS = (GONE, FAILING)
_IS_PENDING = text("state = 'pending'")
_IS_FINISHED = text("finished_at IS NOT NULL")


class WebhookEndpoint(Base):
    """An address of a user that is told of events.

    `events`: names of event types, or "*". Secrets are sealed; the previous one signs beside the
    present one during a rotation. `failing_since_at`: nothing but failures since then; no success.
    `paused_until_at`: it does not answer, or asked for a pause.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    url: Mapped[str]
    description: Mapped[str]
    events: Mapped[Any] = mapped_column(Json)
    enabled: Mapped[bool] = mapped_column(default=True)
    secret_encrypted: Mapped[str]
    previous_secret_encrypted: Mapped[str | None]
    previous_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_reason: Mapped[str | None]  # None: enabled, or switched off by a person
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_success_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_failure_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unanswered: Mapped[int] = mapped_column(default=0)  # attempts in a row that got no answer
    paused_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)  # by a person
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookLane(Base):
    """What waits to be told to one endpoint about one thing; gone once nothing does.

    One at a time is sent along a lane: the events of one thing never overtake each other, and one
    that fails holds up no other thing. A lease keeps senders apart.
    """

    __tablename__ = "webhook_lanes"
    __table_args__ = (Index(None, "endpoint_id", "next_attempt_at"),)

    # No foreign keys to the few endpoints that all rows share: see `rewards`.
    endpoint_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    subject_kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None]
    lease_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """One event for one endpoint, signed and sent until it is taken or given up.

    `message_id` is the same for all endpoints that are told and for every attempt. `body` is what
    is sent, to the byte. `tries` counts since it was last asked for, `attempts` all there were.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_is_known"),
        CheckConstraint("(state = 'pending') = (finished_at IS NULL)", name="finished_has_time"),
        Index(None, "endpoint_id", "state", "id"),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_state", "state", "id"),
        Index(
            "ix_webhook_deliveries_lane", "endpoint_id", "subject_kind", "subject_id", "id",
            postgresql_where=_IS_PENDING, sqlite_where=_IS_PENDING,
        ),
        Index(
            "ix_webhook_deliveries_waiting", "created_at",
            postgresql_where=_IS_PENDING, sqlite_where=_IS_PENDING,
        ),
        Index(
            "ix_webhook_deliveries_finished", "finished_at",
            postgresql_where=_IS_FINISHED, sqlite_where=_IS_FINISHED,
        ),
        # Old rows are deleted: a key must not come to mean another delivery.
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(BigKey)
    message_id: Mapped[str]
    event_type: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigKey)
    body: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    tries: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookAttempt(Base):
    """One try to deliver: the answer's status and the beginning of its body, or why there is none.

    `error` is a code; `detail` says it in words.
    """

    __tablename__ = "webhook_attempts"

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey(WebhookDelivery.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_ms: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    detail: Mapped[str | None]
    excerpt: Mapped[str | None]
