"""Exports of lists and reports: asked for, taken by one worker at a time, ended, cleaned up."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.exports.models import (
    DONE,
    EXPIRED,
    FAILED,
    RUNNING,
    WAITING,
    Export,
    ExportChunk,
)
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import database_now
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.pages import Page, Paging, fetch

KEPT = timedelta(days=7)
LEASE = timedelta(minutes=5)  # longer than the zipping of the largest workbook may take
MAX_ATTEMPTS = 4
FIRST_WAIT = timedelta(seconds=30)
MOST_OF_A_KEY = 20  # that are not failed or expired: files fill the database


class TooManyExports(Conflict):
    code = "too_many_exports"
    title = "This key has enough exports."


class ExportNotReady(Conflict):
    code = "export_not_ready"
    title = "This export has no file."


class TakenOver(Conflict):
    code = "export_taken_over"
    title = "Another process goes on with this export, or it was deleted."


def ask(
    session: Session, key_id: int, path: str, filters: Mapping[str, str], kind: str, file_name: str,
    actor: str,
) -> Export:  # fmt: skip
    """Have a worker write a file. Raises TooManyExports.

    path: of the list or report, below /api/v1; filters: its query parameters, checked already.
    """
    held = session.scalar(
        select(func.count()).where(
            Export.key_id == key_id, Export.state.in_((WAITING, RUNNING, DONE))
        )
    )
    if (held or 0) >= MOST_OF_A_KEY:
        raise TooManyExports(
            f"A key keeps at most {MOST_OF_A_KEY} exports. Delete those that are not needed, or "
            "wait until they expire."
        )
    made = Export(
        key_id=key_id, path=path, filters=dict(filters), format=kind, file_name=file_name
    )  # fmt: skip
    session.add(made)
    session.flush()
    # Without the filters, which may hold addresses of people.
    record(session, "export.asked", ("export", made.id), {"of": path, "format": kind}, actor)
    return made


def get_export(session: Session, export_id: int, key_id: int | None) -> Export:
    """An export of a key; of any key for None. Raises NotFound."""
    found = session.get(Export, export_id)
    if found is None or key_id not in (None, found.key_id):
        raise NotFound("There is no such export.")
    return found


def list_exports(session: Session, paging: Paging, key_id: int | None) -> Page:
    query = select(Export)
    if key_id is not None:
        query = query.where(Export.key_id == key_id)
    return fetch(session, query, Export.id, paging)


def delete_export(session: Session, export: Export, actor: str) -> None:
    """Remove an export with its file; a worker that is at it stops."""
    record(session, "export.deleted", ("export", export.id), {"of": export.path}, actor)
    _drop_chunks(session, Export.id == export.id)
    session.delete(export)


def has_due(session: Session) -> bool:
    """Whether some export waits for a worker, or is to be cleaned up."""
    now = database_now(session)
    return bool(session.scalar(select(exists().where(_free(now))))) or bool(
        session.scalar(select(exists().where(_outdated(now))))
    )


def _free(now: datetime) -> Any:
    return and_(
        Export.state.in_((WAITING, RUNNING)),
        or_(Export.lease_until.is_(None), Export.lease_until < now),
        or_(Export.next_attempt_at.is_(None), Export.next_attempt_at <= now),
    )


def _outdated(now: datetime) -> Any:
    return and_(Export.state == DONE, Export.expires_at <= now)


def take(session: Session) -> Export | None:
    """Take the oldest free export, without what an earlier try left; None when none is free.

    Commit at once. One that was begun too often, because its workers died, has failed.
    """
    now = database_now(session)
    query = select(Export).where(_free(now)).order_by(Export.id).limit(1)
    while (export := session.scalar(query.with_for_update(skip_locked=True))) is not None:
        _drop_chunks(session, Export.id == export.id)
        if export.attempts < MAX_ATTEMPTS:
            export.state, export.rows, export.attempts = RUNNING, 0, export.attempts + 1
            export.lease_token, export.lease_until = uuid4().hex, now + LEASE
            return export
        export.state, export.finished_at = FAILED, utc_now()
        export.error = export.error or "The workers that made it ended before it was done."
        export.lease_token = export.lease_until = None
        session.flush()
    return None


def keep(session: Session, export: Export, rows: int) -> None:
    """Note how far an export is, and hold it for a while longer. Raises TakenOver."""
    _write(session, export, {"rows": rows, "lease_until": database_now(session) + LEASE})


def finish(session: Session, export: Export, rows: int, size: int, sha256: str) -> None:
    """Its file is whole. Raises TakenOver."""
    now = utc_now()
    _let_go(session, export, state=DONE, rows=rows, size=size, sha256=sha256, error=None,
            finished_at=now, expires_at=now + KEPT)  # fmt: skip


def fail(session: Session, export: Export, error: str, passes: bool) -> None:
    """Note a failed try. One that may pass is tried again, 30 s, 60 s ... later, 4 times in all.

    Raises TakenOver.
    """
    if passes and export.attempts < MAX_ATTEMPTS:
        wait = FIRST_WAIT * 2 ** (export.attempts - 1)
        _let_go(session, export, error=error, next_attempt_at=database_now(session) + wait)
    else:
        _let_go(session, export, state=FAILED, error=error, finished_at=utc_now())
        _drop_chunks(session, Export.id == export.id)


def _let_go(session: Session, export: Export, **changed: Any) -> None:
    _write(session, export, {"lease_token": None, "lease_until": None, **changed})


def _write(session: Session, export: Export, values: Mapping[str, Any]) -> None:
    mine = (Export.id == export.id) & (Export.lease_token == export.lease_token)
    written = session.execute(update(Export).where(mine).values(values))
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise TakenOver("It took too long, so that another process goes on, or it was deleted.")


def expire(session: Session) -> int:
    """Remove the files whose time is over; how many."""
    outdated = _outdated(database_now(session))
    keys = session.scalars(select(Export.id).where(outdated)).all()
    _drop_chunks(session, Export.id.in_(keys))
    session.execute(update(Export).where(Export.id.in_(keys)).values(state=EXPIRED))
    return len(keys)


def _drop_chunks(session: Session, which: Any) -> None:
    session.execute(
        delete(ExportChunk).where(ExportChunk.export_id.in_(select(Export.id).where(which)))
    )


def read_chunk(session: Session, export_id: int, number: int) -> bytes | None:
    """A piece of a file as it is kept; None after the last one, or when it is gone."""
    query = select(ExportChunk.content).where(
        ExportChunk.export_id == export_id, ExportChunk.number == number
    )
    return session.scalar(query)
