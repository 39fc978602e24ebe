"""Add entries to the audit log, in the transaction of the change itself.

Entries wait in the session until just before the outermost commit: then the end of the log is
locked, and nothing is locked after it, so that the chain can be no part of a deadlock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.chain import Sealed, seal
from rewards_service.audit.models import AuditEntry, AuditHead
from rewards_service.kit.at_commit import AtCommit
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many

MACHINE = "machine"
HEAD_ID = 1
OUT_OF_ORDER = timedelta(hours=1)
_PART_OF = "audit_part_of"


def record(
    session: Session,
    action: str,
    subject: tuple[str, int],
    detail: dict[str, Any],
    actor: str = MACHINE,
    reason: str | None = None,
) -> None:
    """Say that `actor` did `action` to `subject` = (kind, key), and why.

    The entry is written when the caller's transaction commits, and vanishes with a rollback, also
    with that of a savepoint it was recorded in.
    """
    kind, key = subject
    if (whole := session.info.get(_PART_OF)) is not None:
        detail = {**detail, "part_of": whole}
    row = {
        "at": utc_now(),
        "actor": actor,
        "action": action,
        "subject_kind": kind,
        "subject_id": key,
        "reason": reason,
        "detail": detail,
    }
    _entries.add(session, row)


@contextmanager
def as_part_of(session: Session, whole: str) -> Iterator[None]:
    """Entries recorded inside say of which decision they are a part: doing it does them too."""
    session.info[_PART_OF] = whole
    try:
        yield
    finally:
        del session.info[_PART_OF]


def append(session: Session, rows: list[dict[str, Any]]) -> None:
    """Chain rows of `at`, `actor`, `action`, `subject_kind`, `subject_id`, `reason`, `detail`."""
    head = session.scalars(
        select(AuditHead).where(AuditHead.id == HEAD_ID).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
    last, previous, last_at = head.last_id, head.hash, head.last_at
    chained = []
    for row in rows:
        last += 1
        row["at"] = last_at = _in_order(row["at"], last_at)
        hashed = seal(previous, Sealed(id=last, **row))
        chained.append({"id": last, **row, "previous_hash": previous, "hash": hashed})
        previous = hashed
    insert_many(session, AuditEntry, chained)
    head.last_id, head.hash, head.last_at = last, previous, last_at
    session.flush()


def _in_order(at: datetime, last_at: datetime | None) -> datetime:
    """Times follow the order of ids, so that a month is a run of them: two that commit at once
    may have been recorded the other way round. A clock that was wrong once rules nothing for long.
    """
    if last_at is not None and timedelta(0) < last_at - at < OUT_OF_ORDER:
        return last_at
    return at


_entries = AtCommit("audit_pending", append)
