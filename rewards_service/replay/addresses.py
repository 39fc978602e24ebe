"""E-mail addresses that people corrected: before, a lead, deal or customer had another key.

The audit log holds no addresses, only a digest of the key before and after. A key matters if some
payment named it: then the payment tells which it was. Otherwise nobody ever found the thing by it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, insert, literal, select, update
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.journal import digest_of
from rewards_service.crm.models import Customer, Deal, Lead, PaymentClaim
from rewards_service.kit.db import Base, table_of
from rewards_service.replay.moments import CUSTOMER, DEAL, LEAD
from rewards_service.replay.tables import KEYS, MOMENTS, here

MODELS: Mapping[str, tuple[type[Base], int]] = {
    "lead": (Lead, LEAD), "deal": (Deal, DEAL), "customer": (Customer, CUSTOMER),
}  # fmt: skip
_PAGE = 5_000


def gather_keys(connection: Connection) -> None:
    """Which keys the digests of corrected addresses stand for; through the live tables."""
    wanted = _wanted(connection)
    found: dict[str, str] = {}
    sources = (PaymentClaim, Lead, Deal, Customer) if wanted else ()
    for model in sources:
        query = select(model.email_key).where(model.email_key.is_not(None)).distinct()
        result = connection.execute(query.execution_options(yield_per=_PAGE))
        for key in result.scalars():
            digest = digest_of(key)
            if digest is not None and digest in wanted:
                found[digest] = str(key)
    if found:
        rows = [{"digest": digest, "email_key": key} for digest, key in found.items()]
        connection.execute(insert(here(KEYS.name)), rows)


def _wanted(connection: Connection) -> set[str | None]:
    entry = AuditEntry
    query = select(entry.detail).where(entry.subject_kind.in_(MODELS))
    found: set[str | None] = set()
    for detail in connection.execute(query.execution_options(yield_per=_PAGE)).scalars():
        if "email_changed" in detail:
            found |= {detail[side].get("email_key") for side in ("before", "after")}
    return found


def undo(session: Session, kind: str, subject: int, detail: Mapping[str, Any]) -> None:
    """A thing gets the key it had when its time comes: somebody may have asked for it before."""
    if kind not in MODELS or "email_changed" not in detail:
        return
    model, rank = MODELS[kind]
    key = _key(session, detail["before"].get("email_key"))
    table = table_of(model)
    entered = (MOMENTS.c.rank == rank) & (MOMENTS.c.ref == subject)
    if session.execute(select(MOMENTS.c.ref).where(entered)).first() is None:
        names = ["at", "rank", "ref"]
        row = select(table.c.created_at, literal(rank), table.c.id).where(table.c.id == subject)
        session.execute(insert(MOMENTS).from_select(names, row))
    session.execute(update(MOMENTS).where(entered).values(reason=key))
    _set(session, table, subject, None)


def redo(session: Session, kind: str, subject: int, detail: Mapping[str, Any]) -> None:
    """Correct the address."""
    if kind in MODELS and "email_changed" in detail:
        key = _key(session, detail["after"].get("email_key"))
        _set(session, table_of(MODELS[kind][0]), subject, key)


def _key(session: Session, digest: str | None) -> str | None:
    return session.scalar(select(KEYS.c.email_key).where(KEYS.c.digest == digest))


def _set(session: Session, table: Table, subject: int, key: str | None) -> None:
    session.execute(update(table).where(table.c.id == subject).values(email_key=key))
