"""A connected Chargebee site, its credentials, and every set of options it ever had."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

_LAWFUL = "NOT create_transaction OR convert_lead OR associate_deal"
_LIVE = text("deleted_at IS NULL")


class Integration(Base):
    """One Chargebee site. `site` is unique among live integrations (DOMAIN M1).

    `version` grows with every change that the webhook's cache must notice: options, credentials,
    deletion. Secrets are kept as keyed digests; the previous one lives on during a rotation.
    """

    __tablename__ = "integrations"
    __table_args__ = (
        CheckConstraint(_LAWFUL, name="transaction_requires_conversion"),
        Index(
            "uq_integrations_site",
            "site",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str]
    site: Mapped[str]
    name: Mapped[str]
    mode: Mapped[str]
    convert_lead: Mapped[bool]
    associate_deal: Mapped[bool]
    create_transaction: Mapped[bool]
    hierarchy: Mapped[str] = mapped_column(default="invoice")
    conflict: Mapped[str] = mapped_column(default="hold")
    options_id: Mapped[int | None] = mapped_column(BigKey)  # the IntegrationOptions in force
    version: Mapped[int] = mapped_column(default=1)
    endpoint_key: Mapped[str] = mapped_column(unique=True)
    webhook_username: Mapped[str]
    credentials_digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    api_key_encrypted: Mapped[str | None]
    requests_per_minute: Mapped[int | None]  # what Chargebee allows this site; None: the setting
    # Chargebee's id of the webhook that this service looks after, and the password it is being told
    webhook_endpoint_id: Mapped[str | None]
    untold_password_encrypted: Mapped[str | None]
    verify: Mapped[str] = mapped_column(default="off", server_default="off")
    verify_above_minor: Mapped[dict[str, int] | None] = mapped_column(Json)  # by currency
    api_v1_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # warn: endpoint on v1
    other_site_seen: Mapped[str | None]  # warn: payloads name this other site
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IntegrationOptions(Base):
    """One set of options. Rows are added, never changed: an event points to the one it met."""

    __tablename__ = "integration_options"
    __table_args__ = (
        UniqueConstraint("integration_id", "version"),
        CheckConstraint(_LAWFUL, name="transaction_requires_conversion"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey(Integration.id))
    version: Mapped[int]
    convert_lead: Mapped[bool]
    associate_deal: Mapped[bool]
    create_transaction: Mapped[bool]
    mode: Mapped[str]
    hierarchy: Mapped[str]
    conflict: Mapped[str]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


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
