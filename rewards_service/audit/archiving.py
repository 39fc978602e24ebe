"""Take the oldest months of the log off, and put them back; the chain goes on from where they end.

A part that is taken off stays in the database as a table of its own, to be kept elsewhere and then
dropped. What is left must be a run of entries that ends with the newest: so parts go in their order
and come back in the opposite one.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.orm import Session

from rewards_service.audit.chain import GENESIS
from rewards_service.audit.models import AuditAnchor, AuditEntry, AuditHead
from rewards_service.audit.service import HEAD_ID
from rewards_service.kit import partitions
from rewards_service.kit.db import database_now, table_of
from rewards_service.kit.partitions import Part, PartitionInUse

TABLE = table_of(AuditEntry).name
# After the end of a month: whoever recorded an entry in it has committed it by then.
SETTLED = timedelta(days=1)


class Run(NamedTuple):
    """The entries of a part: how many, the first and last of them, and the last one's hash."""

    entries: int
    first_id: int | None
    last_id: int | None
    hash: bytes | None


def beginning(session: Session) -> tuple[int, bytes]:
    """(id, hash) of the entry that the first one here follows; (0, GENESIS) where none is gone."""
    first = session.scalar(select(func.min(AuditEntry.id)))
    query = select(AuditAnchor.last_id, AuditAnchor.hash).order_by(AuditAnchor.last_id.desc())
    if first is not None:
        query = query.where(AuditAnchor.last_id < first)
    anchor = session.execute(query.limit(1)).one_or_none()
    return (0, GENESIS) if anchor is None else (anchor.last_id, anchor.hash)


def detach(session: Session, name: str) -> Run:
    """Take the oldest part off; what it held.

    Raises NotFound; PartitionInUse for any other part, one whose month is not over, and one whose
    entries are not all that were made from the beginning until its last one.
    """
    connection = _alone(session)
    part = partitions.find(connection, name)
    oldest = next(one for one in partitions.parts(connection) if one.is_attached)
    if not part.is_attached or part.is_net or part.name != oldest.name:
        raise PartitionInUse(f"Only the oldest part can be taken off: {oldest.name}.")
    if part.before_on is None or part.before_on > (database_now(session) - SETTLED).date():
        raise PartitionInUse(f"The months of {name} are not over yet, or just now.")
    found = _run(connection, name)
    before, _ = beginning(session)
    if found.last_id is not None and found.hash is not None:
        if (found.first_id, found.entries) != (before + 1, found.last_id - before):
            raise PartitionInUse(
                f"{name} does not hold all entries up to its last one. It stays, so that the "
                "chain stays whole; rewards check says what is missing."
            )
        session.add(AuditAnchor(last_id=found.last_id, hash=found.hash, name=name))
        session.flush()
    partitions.detach(connection, name)
    return found


def attach(session: Session, name: str) -> Run:
    """Put the part that was taken off last back; what it holds.

    `partitions.vouch` comes first, in a transaction before. Raises NotFound; PartitionInUse for a
    part that is not the next one, or not as it was when it was taken off.
    """
    connection = _alone(session)
    part = partitions.find(connection, name)
    if part.is_attached:
        raise PartitionInUse(f"{name} is in its place.")
    found = _run(connection, name)
    if found.last_id is not None:
        before, link = beginning(session)
        if (found.last_id, found.hash) != (before, link):
            raise PartitionInUse(
                f"The log here goes on from entry {before}; {name} ends with {found.last_id}. Put "
                "back first what was taken off last; what was changed meanwhile does not fit."
            )
        session.execute(delete(AuditAnchor).where(AuditAnchor.last_id == found.last_id))
    _check_place(connection, part)
    partitions.attach(connection, name)
    partitions.forget_voucher(connection, name)
    return found


def _check_place(connection: Connection, part: Part) -> None:
    """An empty part says nothing of its place: it must not leave a hole for later ones."""
    later = [
        one.name
        for one in partitions.parts(connection)
        if not one.is_attached
        and one.before_on is not None
        and part.before_on is not None
        and one.before_on > part.before_on
    ]
    if later:
        raise PartitionInUse(f"Put {', '.join(later)} back first.")


def _alone(session: Session) -> Connection:
    """Hold the end of the log, as whoever adds entries does, before the table."""
    session.execute(select(AuditHead.id).where(AuditHead.id == HEAD_ID).with_for_update())
    connection = session.connection()
    partitions.be_quick(connection)
    return connection


def _run(connection: Connection, name: str) -> Run:
    query = text(
        f"SELECT count(*), min(id), max(id), (SELECT hash FROM {name} ORDER BY id DESC LIMIT 1) "  # noqa: S608
        f"FROM {name}"
    )
    return Run(*connection.execute(query).one())
