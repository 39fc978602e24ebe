"""Record a delivery once, in one round trip; keep a differing repetition beside the first."""

import threading
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from rewards_service.inbox.models import OtherDelivery, ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_missing

_COLUMNS = (
    "event_id, event_type, source, occurred_at, received_at, body_sha256, body, other_body_seen, "
    "state, attempts"
)
# One statement records the event, stamps it with the options in force (DOMAIN M13), and notices
# when the credentials it was checked against have changed meanwhile: then it inserts nothing.
_RECORD = (
    f"INSERT INTO received_events (integration_id, options_id, {_COLUMNS}) "  # noqa: S608
    "SELECT id, options_id, ?, ?, ?, ?, ?, ?, ?, false, 'pending', 0 "
    "FROM integrations WHERE id = ? AND version = ? AND deleted_at IS NULL "
    "ON CONFLICT (integration_id, event_id) DO NOTHING RETURNING id"
)
_RECORD_BY_DIALECT = {"sqlite": _RECORD, "postgresql": _RECORD.replace("?", "%s")}


class Delivery(NamedTuple):
    """One delivery, checked: ids as text, the body without card data, the hash of all bytes."""

    event_id: str
    event_type: str
    occurred_at: datetime | None
    body: bytes
    body_sha256: bytes
    source: str = "webhook"


class Recorder:
    """Records deliveries, each in one round trip and a transaction of its own.

    This is the hot path of the webhook, hence the driver's own cursor, and a connection that a
    thread keeps. `engine` must be in autocommit.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statement = _RECORD_BY_DIALECT[engine.dialect.name]
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._lost: type[Exception] = engine.dialect.loaded_dbapi.OperationalError
        self._mine = threading.local()

    def record(self, integration_id: int, version: int, delivery: Delivery) -> int | None:
        """Commit a new event; its key, or None when it was not inserted.

        None means a duplicate, or an integration that is no longer at `version`.
        """
        times: list[Any] = [delivery.occurred_at, utc_now()]
        if self._is_sqlite:
            times = [None if at is None else _sqlite_time(at) for at in times]
        values = (
            delivery.event_id, delivery.event_type, delivery.source, *times,
            delivery.body_sha256, delivery.body, integration_id, version,
        )  # fmt: skip
        try:
            return self._insert(values)
        except self._lost:
            # The connection may have died while it lay idle. If the first try was committed all
            # the same, the second one finds the event there.
            return self._insert(values)

    def _insert(self, values: tuple[Any, ...]) -> int | None:
        cursor = getattr(self._mine, "cursor", None)
        if cursor is None:
            self._mine.connection = self._engine.raw_connection()
            cursor = self._mine.cursor = self._mine.connection.cursor()
        try:
            cursor.execute(self._statement, values)
            rows = cursor.fetchall()  # SQLite commits once the last row is read
        except Exception:
            self._mine.cursor = None
            self._mine.connection.invalidate()
            raise
        return int(rows[0][0]) if rows else None


def _sqlite_time(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def keep_duplicate(session: Session, integration_id: int, delivery: Delivery) -> int | None:
    """The key of the event held under this id; another body is kept beside it and flagged."""
    row = session.execute(
        select(ReceivedEvent.id, ReceivedEvent.body_sha256).where(
            ReceivedEvent.integration_id == integration_id,
            ReceivedEvent.event_id == delivery.event_id,
        )
    ).first()
    if row is None:
        return None
    if row.body_sha256 != delivery.body_sha256:
        other = {
            "received_event_id": row.id,
            "body_sha256": delivery.body_sha256,
            "body": delivery.body,
            "received_at": utc_now(),
        }
        insert_missing(session, OtherDelivery, [other])
        session.execute(
            update(ReceivedEvent).where(ReceivedEvent.id == row.id).values(other_body_seen=True)
        )
    return int(row.id)
