"""Invariants of the mirror: the newest row is the highest version, and says what its body says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.chargebee import resources
from rewards_service.chargebee.canonical import LONGEST_KEPT_TEXT
from rewards_service.chargebee.resources import TRANSACTION, Mirrored
from rewards_service.chargebee.wire import BadPayload
from rewards_service.kit.db import table_of
from rewards_service.mirror import queries
from rewards_service.mirror.kinds import MODELS, PARTS, SHARED
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.mirror.queries import AnyRow, Key
from rewards_service.reports.findings import Finding, Invariant, about, pages

_PAGE = 500


def _page_of_kind(session: Session) -> Iterator[tuple[str, Sequence[AnyRow]]]:
    for kind, model in MODELS.items():
        for page in pages(session, select(table_of(model)), _PAGE):
            yield kind, page


def _keys(page: Sequence[AnyRow]) -> set[Key]:
    return {(row.integration_id, row.external_id) for row in page}


def _not_newest(session: Session) -> Iterator[Finding]:
    """I14: each object's row is its highest version; every version belongs to an object."""
    for kind, page in _page_of_kind(session):
        versions = _versions(session, kind, _keys(page))
        for row in page:
            of_row = versions[(row.integration_id, row.external_id)]
            if row.body_sha256 not in {version.body_sha256 for version in of_row}:
                yield _about(row, kind, "no version has its body.")
            elif not row.deleted and any(_place(version) > _place(row) for version in of_row):
                yield _about(row, kind, "a newer version was received.")
    yield from _lost(session)


def _place(row: Any) -> tuple[Any, ...]:
    return row.resource_version, row.occurred_at, row.body_sha256


def _versions(session: Session, kind: str, keys: set[Key]) -> dict[Key, list[AnyRow]]:
    """Places of all versions of objects. A body sent twice keeps the place of its first arrival."""
    table = ChargebeeVersion
    columns = (table.integration_id, table.external_id)
    query = select(*columns, table.resource_version, table.occurred_at, table.body_sha256).where(
        table.kind == kind
    )
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in queries.select_by(session, query, *columns, keys):
        found[(row.integration_id, row.external_id)].append(row)
    return found


def _lost(session: Session) -> Iterator[Finding]:
    table = ChargebeeVersion
    for kind, model in MODELS.items():
        query = (
            select(table.integration_id, table.external_id, func.count())
            .outerjoin(
                model,
                (model.integration_id == table.integration_id)
                & (model.external_id == table.external_id),
            )
            .where(table.kind == kind, model.external_id.is_(None))
            .group_by(table.integration_id, table.external_id)
        )
        for page in pages(session, query):
            for row in page:
                yield _about(row, kind, "it has versions, but no row.")


def _untrue(session: Session) -> Iterator[Finding]:
    """I6: bodies are as hashed on arrival, and the columns that money uses say what they say."""
    for kind, page in _page_of_kind(session):
        bodies = _bodies(session, kind, page)
        applied = _applied(session, _keys(page)) if kind == TRANSACTION else {}
        parts = _parts(session, kind, _keys(page))
        for row in page:
            body = bodies.get((row.integration_id, row.external_id, row.body_sha256))
            problem = None if body is None else _problem(kind, row, body, applied, parts)
            if problem is not None:
                yield _about(row, kind, problem)


def _bodies(
    session: Session, kind: str, page: Sequence[AnyRow]
) -> dict[tuple[int, str, bytes], bytes]:
    table = ChargebeeVersion
    columns = (table.integration_id, table.external_id)
    query = select(*columns, table.body_sha256, table.body).where(
        table.kind == kind, table.body_sha256.in_([row.body_sha256 for row in page])
    )
    rows = queries.select_by(session, query, *columns, _keys(page))
    return {(row.integration_id, row.external_id, row.body_sha256): row.body for row in rows}


def _applied(session: Session, keys: set[Key]) -> dict[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for row in queries.applications_of(session, keys):
        if row.applied_minor:
            found[(row.integration_id, row.transaction_id)][row.invoice_id] = row.applied_minor
    return found


def _parts(session: Session, kind: str, keys: set[Key]) -> dict[tuple[str, Key], list[Any]]:
    """What hangs on objects of a kind: rows by the name of the part and the object."""
    found: dict[tuple[str, Key], list[Any]] = defaultdict(list)
    for name, (model, id_name) in PARTS.get(kind, {}).items():
        query = select(table_of(model))
        if model in SHARED:
            query = query.where(model.kind == kind)
        owner = getattr(model, id_name)
        for row in queries.select_by(session, query, model.integration_id, owner, keys):
            found[name, (row.integration_id, getattr(row, id_name))].append(row._asdict())
    return found


def _problem(
    kind: str,
    row: Any,
    body: bytes,
    applied: dict[Key, dict[str, int]],
    parts: dict[tuple[str, Key], list[Any]],
) -> str | None:
    # A body with an over-long text was cut after it was hashed.
    if len(body) < LONGEST_KEPT_TEXT and sha256(body).digest() != row.body_sha256:
        return "its body is not the one that was hashed."
    try:
        found = resources.read(kind, orjson.loads(body), row.deleted, False, "")
    except BadPayload as problem:
        return f"its body cannot be read: {problem}."
    wrong = [name for name, value in found.columns.items() if getattr(row, name) != value]
    key = (row.integration_id, row.external_id)
    if kind == TRANSACTION and _applies(found) != applied.get(key, {}):
        wrong.append("what it applies to invoices")
    for name, (_, id_name) in PARTS.get(kind, {}).items():
        owner = {"integration_id": row.integration_id, id_name: row.external_id}
        said = [{**owner, **part} for part in found.parts.get(name, ())]
        if sorted(said, key=_position) != sorted(parts[name, key], key=_position):
            wrong.append(f"its {name}")
    return f"not as its body says: {', '.join(wrong)}." if wrong else None


def _position(part: dict[str, Any]) -> tuple[str, int]:
    return part.get("level", ""), part["position"]


def _applies(found: Mirrored) -> dict[str, int]:
    return {invoice_id: amount for invoice_id, amount in found.applications if amount}


def _about(row: Any, kind: str, detail: str) -> Finding:
    return about("integration", row.integration_id, f"{kind} {row.external_id}: {detail}")


INVARIANTS = (
    Invariant("mirror_newest", "The mirror holds the newest version of each object.", _not_newest),
    Invariant("mirror_true", "The mirror's rows say what its bodies say.", _untrue),
)
