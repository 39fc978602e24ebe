"""Record a delivery once, in one round trip; keep a differing repetition beside the first."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import canonical_json
from rewards_service.chargebee.verifying import NOT_THERE
from rewards_service.inbox.models import PENDING, PURGED, WEBHOOK, OtherDelivery, ReceivedEvent
from rewards_service.inbox.verification import reopen
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import insert_missing
from rewards_service.kit.strict_json import parse

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
# The same bytes once more, under credentials that hold as they were checked: nothing is to be kept.
_REPEATED = (
    "SELECT e.id FROM received_events e JOIN integrations i ON i.id = e.integration_id "  # noqa: S608
    f"WHERE e.event_id = ? AND e.source = '{WEBHOOK}' AND e.body_sha256 = ? "
    "AND i.id = ? AND i.version = ? AND i.deleted_at IS NULL"
)
_MARKS = {"sqlite": "?", "postgresql": "%s"}


class Delivery(NamedTuple):
    """One delivery, checked: ids as text, the body without card data, the hash of all bytes."""

    event_id: str
    event_type: str
    occurred_at: datetime | None
    body: bytes
    body_sha256: bytes
    source: str = WEBHOOK


class Recorder:
    """Records deliveries, each in one round trip and a transaction of its own.

    This is the hot path of the webhook, hence the driver's own cursor, and a connection that a
    thread keeps. `engine` must be in autocommit.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        mark = _MARKS[engine.dialect.name]
        self._record, self._repeated = (one.replace("?", mark) for one in (_RECORD, _REPEATED))
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
            return self._key(self._record, values)
        except self._lost:
            # The connection may have died while it lay idle. If the first try was committed all
            # the same, the second one finds the event there.
            return self._key(self._record, values)

    def find_repeated(self, integration_id: int, version: int, delivery: Delivery) -> int | None:
        """The key of the event that a webhook brought with just these bytes; None when there is
        none, or the integration is no longer at `version`."""
        held = (delivery.event_id, delivery.body_sha256, integration_id, version)
        return self._key(self._repeated, held)

    def close(self) -> None:
        """Give up the connection that this thread keeps; the next delivery makes another."""
        if getattr(self._mine, "cursor", None) is not None:
            self._mine.cursor = None
            self._mine.connection.close()

    def _key(self, statement: str, values: tuple[Any, ...]) -> int | None:
        cursor = getattr(self._mine, "cursor", None)
        if cursor is None:
            self._mine.connection = self._engine.raw_connection()
            cursor = self._mine.cursor = self._mine.connection.cursor()
        try:
            crash_point("web.before_insert")
            cursor.execute(statement, values)
            crash_point("web.after_insert")
            rows = cursor.fetchall()  # SQLite commits once the last row is read
        except Exception:
            self._mine.cursor = None
            self._mine.connection.invalidate()
            raise
        return int(rows[0][0]) if rows else None


def _sqlite_time(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def keep_duplicate(session: Session, integration_id: int, delivery: Delivery) -> int | None:
    """The key of the event held under this id; another body is kept beside it and flagged.

    An event that another source brought first is noted as delivered. Its body is not compared byte
    by byte: the API spells events in its own way, with a delivery status of their own.
    """
    held = ReceivedEvent
    query = select(held.id, held.body_sha256, held.source, held.webhook_at).where(
        held.integration_id == integration_id, held.event_id == delivery.event_id
    )
    row = session.execute(query).first()
    if row is None:
        return None
    is_first_webhook = row.source != WEBHOOK and row.webhook_at is None
    if is_first_webhook:
        session.execute(update(held).where(held.id == row.id).values(webhook_at=utc_now()))
    if row.body_sha256 == delivery.body_sha256:
        return int(row.id)
    body = session.scalars(select(held.body).where(held.id == row.id)).one()
    if body == PURGED:  # what was kept long enough does not come back by this door
        delivery = delivery._replace(body=PURGED)
    if row.source == WEBHOOK or (body != PURGED and _said(body) != _said(delivery.body)):
        _keep_other(session, row.id, delivery)
    return int(row.id)


def _said(body: bytes) -> list[Any]:
    value = parse(body)
    said = [value.get(name) for name in ("event_type", "occurred_at", "content")]
    return [canonical_json(member) for member in said]


def _keep_other(session: Session, key: int, delivery: Delivery) -> None:
    other = {
        "received_event_id": key,
        "body_sha256": delivery.body_sha256,
        "body": delivery.body,
        "received_at": utc_now(),
    }
    insert_missing(session, OtherDelivery, [other])
    session.execute(
        update(ReceivedEvent).where(ReceivedEvent.id == key).values(other_body_seen=True)
    )


def record_listed(
    session: Session, integration: Integration, deliveries: Sequence[Delivery]
) -> list[str]:
    """Record events that were asked for, in their order; the ids of those that are new here.

    They meet the options in force now (DOMAIN M13). What is held already stays as it came.
    """
    held = set(_held(session, integration.id, [item.event_id for item in deliveries]))
    if held:  # those that Chargebee did not know when it was asked, it knows now
        reopen(session, integration.id, sorted(held), NOT_THERE)
    fresh = {item.event_id: item for item in deliveries if item.event_id not in held}
    at = utc_now()
    rows = [
        {
            **item._asdict(),
            "integration_id": integration.id,
            "options_id": integration.options_id,
            "received_at": at,
            "other_body_seen": False,
            "state": PENDING,
            "attempts": 0,
        }
        for item in fresh.values()
    ]
    insert_missing(session, ReceivedEvent, rows)
    ours = ReceivedEvent.received_at == at  # not those that a webhook brought just now
    return _held(session, integration.id, list(fresh), ours)


def _held(
    session: Session, integration_id: int, event_ids: Sequence[str], *wanted: Any
) -> list[str]:
    event = ReceivedEvent
    query = select(event.event_id).where(
        event.integration_id == integration_id, event.event_id.in_(event_ids), *wanted
    )
    return list(session.scalars(query.order_by(event.id)))
