"""Add entries to the audit log, in the transaction of the change itself.

Entries wait in the session until just before the outermost commit: then the end of the log is
locked, and nothing is locked after it, so that the chain can be no part of a deadlock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from rewards_service.audit.chain import Sealed, seal
from rewards_service.audit.models import AuditEntry, AuditHead
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many

MACHINE = "machine"
HEAD_ID = 1
_PENDING = "audit_pending"
_PART_OF = "audit_part_of"


class _Pending(NamedTuple):
    """An entry without its number, and the savepoints it was recorded in."""

    row: dict[str, Any]
    inside: tuple[SessionTransaction, ...]


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
    if not session.in_transaction():
        session.begin()  # an entry belongs to a transaction, or a rollback would not end it
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
    session.info.setdefault(_PENDING, []).append(_Pending(row, _savepoints(session)))


@contextmanager
def as_part_of(session: Session, whole: str) -> Iterator[None]:
    """Entries recorded inside say of which decision they are a part: doing it does them too."""
    session.info[_PART_OF] = whole
    try:
        yield
    finally:
        del session.info[_PART_OF]


def _savepoints(session: Session) -> tuple[SessionTransaction, ...]:
    found = []
    nested = session.get_nested_transaction()
    while nested is not None and nested.nested:
        found.append(nested)
        nested = nested.parent
    return tuple(found)


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    session.flush()  # takes its row locks before the log's
    pending: list[_Pending] = session.info.pop(_PENDING)
    append(session, [entry.row for entry in pending])


def append(session: Session, rows: list[dict[str, Any]]) -> None:
    """Chain rows of `at`, `actor`, `action`, `subject_kind`, `subject_id`, `reason`, `detail`."""
    head = session.scalars(
        select(AuditHead).where(AuditHead.id == HEAD_ID).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
    last, previous = head.last_id, head.hash
    chained = []
    for row in rows:
        last += 1
        hashed = seal(previous, Sealed(id=last, **row))
        chained.append({"id": last, **row, "previous_hash": previous, "hash": hashed})
        previous = hashed
    insert_many(session, AuditEntry, chained)
    head.last_id, head.hash = last, previous
    session.flush()


@event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: Session, transaction: SessionTransaction) -> None:
    pending: list[_Pending] = session.info.get(_PENDING, [])
    pending[:] = [entry for entry in pending if transaction not in entry.inside]


@event.listens_for(Session, "after_transaction_end")
def _forget_all(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)
