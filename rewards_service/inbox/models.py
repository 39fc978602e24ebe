"""The event log: every delivery as it came, kept before anything acts on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

PENDING = "pending"
DONE = "done"
QUARANTINED = "quarantined"
DEAD = "dead"
WEBHOOK = "webhook"
POLL = "poll"
BACKFILL = "backfill"
SOURCES = (WEBHOOK, POLL, BACKFILL)
STATES = (PENDING, DONE, QUARANTINED, DEAD)

OUTCOMES = (
    "transaction_recorded", "unknown_customer", "no_email", "already_processed", "converted",
    "associated", "no_lead", "no_deal", "no_change", "reversed", "parked_missing_parent",
    "mirrored", "ignored", "all_off", "observed", "bad_payload", "api_v1", "customer_mismatch",
    "verification_failed",
)  # fmt: skip

# Whether an event is what Chargebee itself says: to be asked for, or what was answered.
WANTED = "wanted"
CONFIRMED = "confirmed"
REFUSED = "refused"

# The body of an event that was kept long enough: no event can have it, for it is no JSON.
PURGED = b""

_IS_PENDING = text("state = 'pending'")
# In these words: SQLite takes an index of some rows only for a query that says the same.
NEEDS_A_PERSON = text("state IN ('quarantined', 'dead')")
_IS_POLLED = text("source = 'poll'")
_IS_UNVERIFIED = text("verification = 'wanted'")


class ReceivedEvent(Base):
    """One event, once per (integration, event id), whatever the sender repeats.

    `body` are the bytes as received, without card data, until they are PURGED; `body_sha256` is of
    the bytes with it.
    `attempts` counts tries of this event alone; a batch that dies costs none. A lease marks rows
    that a worker is busy with: it must still hold its token to finish them.

    `verification` is None, or "wanted" while nothing may follow before Chargebee was asked for its
    own copy, then "confirmed" or "refused"; replays go by the answer and do not ask again.
    """

    __tablename__ = "received_events"
    __table_args__ = (
        UniqueConstraint("integration_id", "event_id"),
        CheckConstraint(f"state IN {STATES}", name="state_is_known"),
        CheckConstraint(
            "state = 'pending' OR outcome IS NOT NULL OR state = 'dead'", "has_outcome"
        ),
        Index(None, "received_at", "id"),
        Index(None, "event_type", "id"),
        Index(None, "outcome", "id"),
        Index(None, "source", "id"),
        Index(
            "ix_received_events_pending",
            "id",
            postgresql_where=_IS_PENDING,
            sqlite_where=_IS_PENDING,
        ),
        Index(
            "ix_received_events_needs_a_person",
            "state",
            "id",
            postgresql_where=NEEDS_A_PERSON,
            sqlite_where=NEEDS_A_PERSON,
        ),
        Index(
            "ix_received_events_polled",
            "integration_id",
            "received_at",
            postgresql_where=_IS_POLLED,
            sqlite_where=_IS_POLLED,
        ),
        Index(
            "ix_received_events_unverified",
            "id",
            postgresql_where=_IS_UNVERIFIED,
            sqlite_where=_IS_UNVERIFIED,
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    # No foreign key: the row is selected from its integration, and checking again on each insert
    # would lock that one row for every delivery.
    integration_id: Mapped[int] = mapped_column(BigKey)
    options_id: Mapped[int] = mapped_column(BigKey)  # the options in force on arrival (M13)
    event_id: Mapped[str]
    event_type: Mapped[str]
    source: Mapped[str]  # what brought it first: webhook, poll or backfill
    occurred_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: missing or absurd
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    other_body_seen: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=PENDING)
    outcome: Mapped[str | None]
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: at once
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    results: Mapped[Any | None] = mapped_column(Json)  # keys of what it made, by name
    webhook_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # came by webhook, but later
    verification: Mapped[str | None]
    verification_note: Mapped[str | None]  # why it waits, or was refused
    verification_tries: Mapped[int] = mapped_column(default=0, server_default="0")


class OtherDelivery(Base):
    """A delivery under a known event id with other bytes: kept beside the first, not acted on."""

    __tablename__ = "other_deliveries"
    __table_args__ = (UniqueConstraint("received_event_id", "body_sha256"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    received_event_id: Mapped[int] = mapped_column(ForeignKey(ReceivedEvent.id))
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class WaitingEvent(Base):
    """An event that takes money back, and the Chargebee transaction or invoice that it means.

    By it such an event is answered anew when the payment comes (DOMAIN M15) or goes (M17).
    """

    __tablename__ = "waiting_events"
    __table_args__ = (Index(None, "external_id", "kind", "integration_id"),)

    received_event_id: Mapped[int] = mapped_column(
        ForeignKey(ReceivedEvent.id), primary_key=True, autoincrement=False
    )
    integration_id: Mapped[int] = mapped_column(BigKey)
    kind: Mapped[str]  # "transaction" or "invoice"
    external_id: Mapped[str]
