"""What a list has shown of the past, and no event has told of yet (DOMAIN V10).

A backfill mirrors everything at once; what it posts is told of event by event, in the order in
which it happened. Rules that count must not know a refund before the event that tells of it.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.chargebee.listed import LISTED
from rewards_service.inbox.models import BACKFILL, ReceivedEvent
from rewards_service.kit.db import chunks
from rewards_service.mirror.queries import AnyRow, Key


def leave_out(
    session: Session,
    rows_of: dict[Key, list[AnyRow]],
    told_by: Mapping[Key, Collection[AnyRow]],
) -> None:
    """Take out refunds or notes that only a list has shown, of payments that are posted.

    rows_of: refunds by payment, or notes by invoice; told_by: the recorded payments of each. Their
    own events follow those of the payments.
    """
    early = {
        key: [row for row in rows if _is_before(row, told_by.get(key, ()))]
        for key, rows in rows_of.items()
    }
    listed = _listed(session, (row for rows in early.values() for row in rows))
    if not listed:
        return
    payments = (row for key, rows in early.items() if rows for row in told_by[key])
    posted = _posted(session, payments)
    for key, rows in early.items():
        if any(row.received_event_id in posted for row in told_by.get(key, ())):
            gone = {row.external_id for row in rows if row.received_event_id in listed}
            rows_of[key] = [row for row in rows_of[key] if row.external_id not in gone]


def _is_before(row: AnyRow, payments: Collection[AnyRow]) -> bool:
    first = min((payment.received_event_id for payment in payments), default=0)
    return (row.received_event_id or 0) < first


def _listed(session: Session, rows: Iterable[AnyRow]) -> set[int]:
    is_listing = ReceivedEvent.event_type == LISTED
    return _among(session, {row.received_event_id for row in rows}, is_listing)


def _posted(session: Session, payments: Iterable[AnyRow]) -> set[int]:
    is_posting = ReceivedEvent.source == BACKFILL
    return _among(session, {row.received_event_id for row in payments}, is_posting)


def _among(session: Session, keys: set[int], wanted: object) -> set[int]:
    found: set[int] = set()
    for some in chunks(sorted(keys)):
        query = select(ReceivedEvent.id).where(ReceivedEvent.id.in_(some), wanted)  # type: ignore[arg-type]
        found |= set(session.scalars(query))
    return found
