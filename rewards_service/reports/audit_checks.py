"""The invariant of the audit log: its chain is whole, from the first entry to its stated end."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.archiving import beginning
from rewards_service.audit.chain import Sealed, seal
from rewards_service.audit.models import AuditEntry, AuditHead
from rewards_service.kit import ids
from rewards_service.kit.db import columns
from rewards_service.reports.findings import Finding, Invariant, pages

COLUMNS = columns(AuditEntry, *Sealed._fields, "previous_hash", "hash")


REDACTING = "person.erased"


def _redacted(session: Session) -> dict[str, str]:
    """Entries whose texts named a person who was erased -> the seal of what they say now.

    It stands in a later entry, which the chain seals: nobody changes texts by this door unseen.
    """
    query = select(AuditEntry.id, AuditEntry.detail).where(AuditEntry.action == REDACTING)
    found: dict[str, str] = {}
    for key, detail in session.execute(query.order_by(AuditEntry.id)):
        told = detail.get("redacted", {})
        found |= {name: digest for name, digest in told.items() if int(name) < key}
    return found


def _broken_chain(session: Session) -> Iterator[Finding]:
    """I17: no entry was changed, taken out, put in, or cut off the end.

    Parts that were taken off are looked at again once they are put back.
    """
    redacted = _redacted(session)
    head = session.execute(select(*columns(AuditHead, "last_id", "hash"))).one_or_none()
    if head is None:
        yield Finding("audit_head", "The row that says where the log ends is missing.")
    end = 0 if head is None else head.last_id
    last, link = beginning(session)
    for page in pages(session, select(*COLUMNS).order_by(AuditEntry.id)):
        for row in page:
            sealed = Sealed(*row[:-2])
            if row.id > end:
                yield _about(row.id, "It lies beyond the end of the log: it was put in.")
                continue
            yield from _missing(last + 1, row.id)
            if row.id == last + 1 and row.previous_hash != link:
                yield _about(last or row.id, "What follows continues from another entry than it.")
            told = seal(row.previous_hash, sealed)
            if row.hash != told and redacted.get(str(row.id)) != told.hex():
                yield _about(row.id, "Its content is not what its hash seals: it was changed.")
            last, link = row.id, row.hash
    yield from _missing(last + 1, end + 1)
    if head is not None and last == end and link != head.hash:
        yield _about(last or 1, "It is not the entry the log ends with: it was changed.")


def _missing(first: int, until: int) -> Iterator[Finding]:
    for key in range(first, until):
        yield _about(key, "It is missing: it was taken out.")


def _about(key: int, detail: str) -> Finding:
    return Finding(ids.encode("aud", key), f"Entry {key}: {detail}")


INVARIANTS = (Invariant("audit", "The chain of the audit log is whole.", _broken_chain),)
