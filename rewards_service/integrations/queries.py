"""Find integrations, and what the event log says of their health."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, and_, case, func, select
from sqlalchemy.orm import Session

from rewards_service.integrations.gaps import DAY, polling_health
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base
from rewards_service.kit.pages import Page, Paging, fetch


def list_integrations(session: Session, paging: Paging) -> Page:
    query = select(Integration).where(Integration.deleted_at.is_(None))
    return fetch(session, query, Integration.id, paging)


def is_connected(session: Session) -> bool:
    """Whether there is any site that payments could come from."""
    some = select(Integration.id).where(Integration.deleted_at.is_(None)).limit(1)
    return session.scalar(some) is not None


def health(session: Session, integrations: Sequence[Integration]) -> dict[int, dict[str, Any]]:
    """Integration -> when it last heard, what came and failed in 24 h, what waits and how long.

    With it how the reading of its event log goes, and what its webhook misses.
    """
    found = _flow(session, [item.id for item in integrations])
    for key, more in polling_health(session, integrations).items():
        found[key] |= more
    return found


def _flow(session: Session, integration_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {key: _no_events() for key in integration_ids}
    for row in session.execute(_last_day(session, integration_ids)):
        found[row.integration_id]["last_event_at"] = row.last_event_at
        found[row.integration_id]["received_24h"] = row.received
        found[row.integration_id]["failed_24h"] = row.failed
    quiet = [key for key in integration_ids if found[key]["last_event_at"] is None]
    if quiet:
        latest = session.execute(select(*(_latest(key).scalar_subquery() for key in quiet))).one()
        for key, at in zip(quiet, latest, strict=True):
            found[key]["last_event_at"] = at
    now = utc_now()
    for row in session.execute(_waiting(integration_ids)):
        found[row.integration_id]["pending"] = row.pending
        age = now - row.oldest
        found[row.integration_id]["oldest_pending_s"] = max(0, int(age.total_seconds()))
    return found


def _no_events() -> dict[str, Any]:
    return {
        "last_event_at": None, "received_24h": 0, "failed_24h": 0, "pending": 0,
        "oldest_pending_s": None,
    }  # fmt: skip


def _events() -> Table:
    """The event log lives one floor up, hence by name."""
    return Base.metadata.tables["received_events"]


def _latest(integration_id: int) -> Any:
    """When the newest event of a site came; the log is read from its end until there is one."""
    log = _events().c
    mine = select(log.received_at).where(log.integration_id == integration_id)
    return mine.order_by(log.id.desc()).limit(1)


def _last_day(session: Session, integration_ids: Sequence[int]) -> Any:
    """Keys follow the time of arrival: the log is read from its end, one day back."""
    log = _events().c
    since = utc_now() - DAY
    before = session.scalar(
        select(log.id).where(log.received_at < since).order_by(log.id.desc()).limit(1)
    )
    failed = case((log.state.in_(("quarantined", "dead")), 1), else_=0)
    return (
        select(
            log.integration_id,
            func.count().label("received"),
            func.sum(failed).label("failed"),
            func.max(log.received_at).label("last_event_at"),
        )
        .where(
            and_(
                log.id > (before or 0),
                log.received_at >= since,
                log.integration_id.in_(integration_ids),
            )
        )
        .group_by(log.integration_id)
    )


def _waiting(integration_ids: Sequence[int]) -> Any:
    log = _events().c
    return (
        select(
            log.integration_id,
            func.count().label("pending"),
            func.min(log.received_at).label("oldest"),
        )
        .where(log.state == "pending", log.integration_id.in_(integration_ids))
        .group_by(log.integration_id)
    )
