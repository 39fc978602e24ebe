"""The queue of invoices whose rewards are due: take a batch, finish it, or try again later."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, select, update
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, database_now, fetch_rows
from rewards_service.mirror.queries import Key, by_site
from rewards_service.transactions.models import RewardDue

MAX_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=10)

AnyRow = Row[*tuple[Any, ...]]
_TAKEN = columns(RewardDue, "integration_id", "invoice_id", "cause_event_id", "attempts")


def take(session: Session, limit: int, suspects: bool) -> list[AnyRow]:
    """Lock up to `limit` due invoices until commit: those never tried, or one that failed."""
    now = database_now(session)
    waited = RewardDue.next_attempt_at
    ready = and_(waited.is_not(None), waited <= now) if suspects else waited.is_(None)
    query = (
        select(*_TAKEN)
        .where(RewardDue.dead.is_(False), ready)
        .order_by(RewardDue.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    return list(fetch_rows(session, query))


def forget(session: Session, keys: Collection[Key]) -> None:
    """Remove what was done, before the commit that ends the lock on it."""
    for site, ids in by_site(keys).items():
        for some in chunks(ids):
            these = (RewardDue.integration_id == site) & among(session, RewardDue.invoice_id, some)
            session.execute(delete(RewardDue).where(these))


def _keys(rows: Sequence[AnyRow]) -> list[Key]:
    return [(row.integration_id, row.invoice_id) for row in rows]


def fail(session: Session, row: AnyRow, error: str) -> None:
    """Note a failed try: again after 10 s, 20 s ... 10 min; dead after 8."""
    attempts = row.attempts + 1
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    _set(
        session,
        [row],
        attempts=attempts,
        error=error[:2000],
        dead=attempts >= MAX_ATTEMPTS,
        next_attempt_at=database_now(session) + wait,
    )


def try_alone(session: Session, rows: Sequence[AnyRow]) -> None:
    """After a failed batch: each of its invoices is tried by itself from now on."""
    _set(session, rows, next_attempt_at=database_now(session))


def _set(session: Session, rows: Sequence[AnyRow], **values: Any) -> None:
    for site, ids in by_site(_keys(rows)).items():
        for some in chunks(ids):
            these = (RewardDue.integration_id == site) & among(session, RewardDue.invoice_id, some)
            session.execute(update(RewardDue).where(these).values(values))
