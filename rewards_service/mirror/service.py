"""Keep every version of Chargebee's objects, and the newest of each as rows to calculate with."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, tuple_, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    TRANSACTION,
    Mirrored,
)
from rewards_service.kit.db import chunks, insert_many, insert_missing, upsert
from rewards_service.mirror import queries
from rewards_service.mirror.models import (
    ChargebeeCreditNote,
    ChargebeeCustomer,
    ChargebeeInvoice,
    ChargebeeInvoiceLine,
    ChargebeeTransaction,
    ChargebeeVersion,
    PaymentApplication,
    RefundNote,
)

MODELS: dict[str, Any] = {
    CUSTOMER: ChargebeeCustomer,
    INVOICE: ChargebeeInvoice,
    TRANSACTION: ChargebeeTransaction,
    CREDIT_NOTE: ChargebeeCreditNote,
}
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


@dataclass(slots=True)
class Changed:
    """Which objects have a new newest version, and what money may depend on it."""

    payments: set[Key] = field(default_factory=set)  # payments, also those whose refunds changed
    invoices: set[Key] = field(default_factory=set)
    customers: set[Key] = field(default_factory=set)  # whose place in a hierarchy changed


def store(session: Session, received: Sequence[Received]) -> Changed:
    """Keep all versions; bring the newest rows up to date. Answers what changed."""
    changed = Changed()
    by_kind: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        by_kind[one.item.kind].append(one)
    _keep_versions(session, received)
    for kind, some in sorted(by_kind.items()):
        before = queries.newest(session, MODELS[kind], {one.key for one in some})
        winners = _winners(some, before)
        upsert(session, MODELS[kind], [_row(one) for one in winners], _KEY_COLUMNS)
        fresh = [one for one in winners if _differs(one, before.get(one.key))]
        _FOLLOW_UP[kind](session, some, fresh, before, changed)
    return changed


_KEY_COLUMNS = ("integration_id", "external_id")


def _keep_versions(session: Session, received: Sequence[Received]) -> None:
    rows = {}
    for one in received:
        item = one.item
        rows[(item.kind, *one.key, item.body_sha256)] = {
            "integration_id": one.integration_id,
            "kind": item.kind,
            "external_id": item.external_id,
            "body_sha256": item.body_sha256,
            "resource_version": item.resource_version,
            "occurred_at": one.occurred_at,
            "received_event_id": one.received_event_id,
            "body": item.body,
        }
    insert_missing(session, ChargebeeVersion, list(rows.values()))


def _winners(some: Sequence[Received], before: dict[Key, Any]) -> list[Received]:
    """The newest version of each object, where it is newer than what the mirror holds."""
    newest: dict[Key, Received] = {}
    for one in some:
        held = newest.get(one.key)
        if held is None or one.place > held.place:
            newest[one.key] = one
    return [
        one
        for key, one in sorted(newest.items())
        if key not in before or one.place > queries.place_of(before[key])
    ]


def _row(one: Received) -> dict[str, Any]:
    item = one.item
    return {
        "integration_id": one.integration_id,
        "external_id": item.external_id,
        "resource_version": item.resource_version,
        "occurred_at": one.occurred_at,
        "body_sha256": item.body_sha256,
        "deleted": item.deleted,
        **item.columns,
    }


def _differs(one: Received, before: Any) -> bool:
    return before is None or (before.body_sha256, before.deleted) != (
        one.item.body_sha256,
        one.item.deleted,
    )


def _after_customers(
    _session: Session, _some: Any, fresh: list[Received], before: dict[Key, Any], changed: Changed
) -> None:
    changed.customers |= {
        one.key
        for one in fresh
        if one.item.columns["root_id"] != getattr(before.get(one.key), "root_id", None)
    }


def _after_invoices(
    session: Session, _some: Any, fresh: list[Received], before: dict[Key, Any], changed: Changed
) -> None:
    changed.invoices |= {one.key for one in fresh}
    table = ChargebeeInvoiceLine
    for some in chunks([one.key for one in fresh if one.key in before], 500):
        pair = tuple_(table.integration_id, table.invoice_id)
        session.execute(delete(table).where(pair.in_(some)))
    rows = [
        {"integration_id": one.integration_id, "invoice_id": one.item.external_id, **line}
        for one in fresh
        for line in one.item.lines
    ]
    insert_many(session, table, rows)


def _after_transactions(
    session: Session,
    some: list[Received],
    fresh: list[Received],
    before: dict[Key, Any],
    changed: Changed,
) -> None:
    for one in fresh:
        sources = {one.item.columns["source_id"], getattr(before.get(one.key), "source_id", None)}
        changed.payments |= {(one.integration_id, source) for source in sources if source}
        if one.item.columns["kind"] == "payment":
            changed.payments.add(one.key)
    _apply_payments(session, some, fresh, before)
    _assign_refunds(session, fresh)


def _apply_payments(
    session: Session, some: list[Received], fresh: list[Received], before: dict[Key, Any]
) -> None:
    table = PaymentApplication
    for keys in chunks([one.key for one in fresh if one.key in before], 500):
        pair = tuple_(table.integration_id, table.transaction_id)
        session.execute(
            update(table).where(pair.in_(keys)).values(applied_minor=0, position=_UNLISTED)
        )
    upsert(session, table, _application_rows(fresh, listed=True), _APPLICATION_KEY)
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


def _assign_refunds(session: Session, fresh: list[Received]) -> None:
    table = RefundNote
    keys = [one.key for one in fresh if one.item.columns["kind"] == "refund"]
    for some in chunks(keys, 500):
        pair = tuple_(table.integration_id, table.transaction_id)
        session.execute(delete(table).where(pair.in_(some)))
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


def _after_credit_notes(
    _session: Session, _some: Any, fresh: list[Received], before: dict[Key, Any], changed: Changed
) -> None:
    for one in fresh:
        invoices = {
            one.item.columns["invoice_id"],
            getattr(before.get(one.key), "invoice_id", None),
        }
        changed.invoices |= {(one.integration_id, invoice) for invoice in invoices if invoice}


_FOLLOW_UP: dict[str, Any] = {
    CUSTOMER: _after_customers,
    INVOICE: _after_invoices,
    TRANSACTION: _after_transactions,
    CREDIT_NOTE: _after_credit_notes,
}
