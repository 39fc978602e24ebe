"""What hangs on mirrored objects: parts, applications of payments and credits, notes of refunds."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, tuple_, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import Mirrored
from rewards_service.kit.db import chunks, insert_many, insert_missing, upsert
from rewards_service.mirror.kinds import PARTS, SHARED
from rewards_service.mirror.models import CreditApplication, PaymentApplication, RefundNote

Key = tuple[int, str]  # (integration key, Chargebee id)
_UNLISTED = 1_000_000  # position of an application that the newest version does not list


class Received(NamedTuple):
    """One object as one event carried it."""

    integration_id: int
    received_event_id: int
    occurred_at: datetime
    item: Mirrored

    @property
    def key(self) -> Key:
        return self.integration_id, self.item.external_id

    @property
    def place(self) -> tuple[bool, int, datetime, bytes]:
        """Its place among versions; a deletion comes last whatever its version."""
        item = self.item
        return item.deleted, item.resource_version, self.occurred_at, item.body_sha256


def keep_parts(session: Session, fresh: list[Received], before: dict[Key, Any]) -> None:
    """Lines, items, discounts and the like of the newest version of objects of one kind."""
    known = [one.key for one in fresh if one.key in before]
    kind = fresh[0].item.kind
    for name, (table, id_name) in PARTS.get(kind, {}).items():
        only = (table.kind == kind,) if table in SHARED else ()
        _forget(session, table, getattr(table, id_name), known, *only)
        rows = [
            {"integration_id": one.integration_id, id_name: one.item.external_id, **row}
            for one in fresh
            for row in one.item.parts[name]
        ]
        insert_many(session, table, rows)


def keep_credits(session: Session, fresh: list[Received], before: dict[Key, Any]) -> None:
    """The credit notes that paid for invoices, by the newest version of each."""
    known = [one.key for one in fresh if one.key in before]
    _forget(session, CreditApplication, CreditApplication.invoice_id, known)
    rows = [
        {"integration_id": one.integration_id, "invoice_id": one.item.external_id,
         "note_id": note_id, "applied_minor": applied, "applied_at": applied_at}
        for one in fresh
        for note_id, (applied, applied_at) in one.item.credits.items()
    ]  # fmt: skip
    insert_many(session, CreditApplication, rows)


def _forget(
    session: Session, table: Any, column: Any, keys: Sequence[Key], *only: ColumnElement[bool]
) -> None:
    """Delete what hangs on older versions of these objects."""
    for some in chunks(keys, 500):
        these = tuple_(table.integration_id, column).in_(some)
        session.execute(delete(table).where(these, *only))


def apply_payments(
    session: Session, some: list[Received], fresh: list[Received], before: dict[Key, Any]
) -> None:
    table = PaymentApplication
    for keys in chunks([one.key for one in fresh if one.key in before], 500):
        pair = tuple_(table.integration_id, table.transaction_id)
        session.execute(
            update(table).where(pair.in_(keys)).values(applied_minor=0, position=_UNLISTED)
        )
    known = [one for one in fresh if one.key in before]
    upsert(session, table, _application_rows(known, listed=True), _APPLICATION_KEY)
    unknown = [one for one in fresh if one.key not in before]
    insert_many(session, table, _application_rows(unknown, listed=True))
    fresh_places = {(one.key, one.place) for one in fresh}
    older = [one for one in some if (one.key, one.place) not in fresh_places]
    insert_missing(session, table, _application_rows(older, listed=False))


_APPLICATION_KEY = ("integration_id", "transaction_id", "invoice_id")


def _application_rows(items: Iterable[Received], listed: bool) -> list[dict[str, Any]]:
    return [
        {
            "integration_id": one.integration_id,
            "transaction_id": one.item.external_id,
            "invoice_id": invoice_id,
            "position": position if listed else _UNLISTED,
            "applied_minor": applied if listed else 0,
        }
        for one in items
        for position, (invoice_id, applied) in enumerate(one.item.applications)
    ]


def assign_refunds(session: Session, fresh: list[Received]) -> None:
    table = RefundNote
    keys = [one.key for one in fresh if one.item.columns["kind"] == "refund"]
    _forget(session, table, table.transaction_id, keys)
    rows = [
        {
            "integration_id": one.integration_id,
            "transaction_id": one.item.external_id,
            "note_id": note_id,
            "invoice_id": invoice_id,
            "applied_minor": applied,
        }
        for one in fresh
        for note_id, invoice_id, applied in one.item.refund_notes
    ]
    insert_many(session, table, rows)
