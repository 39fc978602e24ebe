"""Put pages of listed objects on the event log and handle them, in one transaction.

A page becomes one event, of what is news in it. So the log holds everything that the mirror knows,
and a replay comes to the same. The same functions handle it as handle a webhook.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.chargebee.listed import LISTED, body_of, content_of
from rewards_service.chargebee.resources import canonical_json
from rewards_service.chargebee.wire import Payload
from rewards_service.history.service import Progress
from rewards_service.inbox import service as inbox
from rewards_service.inbox.models import PENDING, ReceivedEvent
from rewards_service.inbox.service import Leased
from rewards_service.kit.bulk import among
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import (
    columns,
    fetch_rows,
    hold_stage,
    insert_many,
    reserve_ids,
    table_of,
)
from rewards_service.mirror.service import MODELS
from rewards_service.webhooks import processing
from rewards_service.webhooks.jobs import STAGE

log = structlog.get_logger()

SOURCE = "backfill"


class Listed(NamedTuple):
    """A page as Chargebee answered it, when it was asked for, and where the list goes on."""

    kind: str
    rows: Sequence[Payload]
    listed_at: datetime
    next_offset: str | None


class _Group(NamedTuple):
    """Objects that become one event."""

    kind: str
    rows: Sequence[Payload]
    listed_at: datetime


def keep(
    session: Session, integration_id: int, options_id: int, token: str, pages: Sequence[Listed]
) -> dict[str, Progress]:
    """Keep what is news in these pages; what there was, by kind. The caller commits."""
    hold_stage(session, STAGE)
    done: dict[str, Progress] = defaultdict(Progress)
    known = {kind: _known(session, integration_id, kind, pages) for kind in {p.kind for p in pages}}
    groups = []
    for page in pages:
        news = [row for row in page.rows if _is_news(row, known[page.kind])]
        progress = done[page.kind]
        progress.pages += 1
        progress.listed += len(page.rows)
        progress.kept += len(news)
        if news:
            groups.append(_Group(page.kind, news, page.listed_at))
    site = (integration_id, options_id)
    for kind, refused in _handle(session, site, token, groups).items():
        done[kind].kept -= refused
        done[kind].refused += refused
    return dict(done)


def _known(
    session: Session, integration_id: int, kind: str, pages: Sequence[Listed]
) -> dict[str, bytes]:
    """The newest known versions of the objects of a kind: Chargebee id -> hash of the body."""
    model = MODELS[kind]
    rows = (row for page in pages if page.kind == kind for row in page.rows)
    names = [row["id"] for row in rows if isinstance(row.get("id"), str)]
    query = select(*columns(model, "external_id", "body_sha256")).where(
        model.integration_id == integration_id, among(session, model.external_id, names)
    )
    return {row.external_id: row.body_sha256 for row in fetch_rows(session, query)}


def _is_news(row: Payload, known: dict[str, bytes]) -> bool:
    """Whether an object is unknown, or not as the newest known version of it."""
    before = known.get(row["id"]) if isinstance(row.get("id"), str) else None
    return before is None or before != sha256(canonical_json(row)).digest()


def _handle(
    session: Session, site: tuple[int, int], token: str, groups: list[_Group]
) -> dict[str, int]:
    """Handle the groups; how many objects of each kind were refused.

    One object that cannot be read would have its whole page quarantined: the page is then halved
    until the object is alone.
    """
    while groups:
        nested = session.begin_nested()
        try:
            quarantined = _try(session, site, token, groups)
        except Exception:
            log.exception("backfill_pages_failed", pages=len(groups))
            nested.rollback()
            _leave_to_workers(session, site, groups)
            return {}
        too_large = [group for group in quarantined if len(group.rows) > 1]
        if not too_large:
            nested.commit()
            refused: dict[str, int] = defaultdict(int)
            for group in quarantined:
                refused[group.kind] += 1
            return refused
        nested.rollback()
        groups = [half for group in groups for half in _halves(group, group in too_large)]
    return {}


def _halves(group: _Group, is_wanted: bool) -> list[_Group]:
    if not is_wanted:
        return [group]
    middle = len(group.rows) // 2
    return [group._replace(rows=group.rows[:middle]), group._replace(rows=group.rows[middle:])]


def _try(session: Session, site: tuple[int, int], token: str, groups: list[_Group]) -> list[_Group]:
    """Record and handle one event for each group; those that ended in quarantine."""
    rows = {row["id"]: (row, group) for row, group in _new_rows(session, site, groups)}
    if not rows:
        return []
    leased = [{**row, "lease_token": token} for row, _ in rows.values()]
    insert_many(session, ReceivedEvent, leased)
    events = inbox.load(session, Leased(token, sorted(rows), alone=False))
    batch = processing.process(session, events)
    return [rows[key][1] for key, ending in sorted(batch.endings.items()) if ending.quarantined]


def _leave_to_workers(session: Session, site: tuple[int, int], groups: list[_Group]) -> None:
    """What nobody foresaw: each page is tried by itself, as an event is that failed."""
    now = utc_now()
    rows = [{**row, "next_attempt_at": now} for row, _ in _new_rows(session, site, groups)]
    insert_many(session, ReceivedEvent, rows)


def _new_rows(
    session: Session, site: tuple[int, int], groups: Sequence[_Group]
) -> list[tuple[dict[str, Any], _Group]]:
    """Rows of the event log for groups that are not on it yet."""
    made = {}
    for group in groups:
        content = content_of(group.kind, group.rows)
        digest = sha256(content).hexdigest()[:40]
        made[f"{SOURCE}_{group.kind}_{digest}"] = group, content
    query = select(ReceivedEvent.event_id).where(
        ReceivedEvent.integration_id == site[0],
        among(session, ReceivedEvent.event_id, sorted(made)),
    )
    for row in fetch_rows(session, query):
        del made[row.event_id]
    keys = reserve_ids(session, table_of(ReceivedEvent), len(made))
    return [
        (event_row(key, site, name, LISTED, group.listed_at, content), group)
        for key, (name, (group, content)) in zip(keys, made.items(), strict=True)
    ]


def event_row(
    key: int,
    site: tuple[int, int],
    event_id: str,
    event_type: str,
    occurred_at: datetime,
    content: bytes,
) -> dict[str, Any]:
    """The row of an event of ours, to be handled; site = (integration, options in force)."""
    body = body_of(event_id, event_type, occurred_at, content)
    return {
        "id": key,
        "integration_id": site[0],
        "options_id": site[1],
        "event_id": event_id,
        "event_type": event_type,
        "source": SOURCE,
        "occurred_at": occurred_at.replace(microsecond=0),
        "received_at": utc_now(),
        "body_sha256": sha256(body).digest(),
        "body": body,
        "other_body_seen": False,
        "state": PENDING,
        "attempts": 0,
    }
