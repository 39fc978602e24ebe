"""Read the mirror in batches, by Chargebee's ids within an integration."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, fetch_rows, table_of
from rewards_service.mirror.models import (
    ChargebeeCreditNote,
    ChargebeeCreditNoteLine,
    ChargebeeCustomer,
    ChargebeeInvoice,
    ChargebeeInvoiceLine,
    ChargebeeTransaction,
    ChargebeeVersion,
    CreditApplication,
    PaymentApplication,
    RefundNote,
)

Key = tuple[int, str]
AnyRow = Row[*tuple[Any, ...]]
_SITE_CHUNK = 2_000


def by_site(keys: Iterable[Key]) -> dict[int, list[str]]:
    """Chargebee ids by integration: one IN list a site keeps statements simple and indexed."""
    found: dict[int, set[str]] = defaultdict(set)
    for integration_id, external_id in keys:
        found[integration_id].add(external_id)
    return {site: sorted(ids) for site, ids in sorted(found.items())}


def select_by(
    session: Session,
    query: Select[*tuple[Any, ...]],
    site_column: Any,
    id_column: Any,
    keys: Iterable[Key],
) -> list[AnyRow]:
    """Rows of a query whose (site, id) columns are among the keys."""
    rows: list[AnyRow] = []
    for site, ids in by_site(keys).items():
        for some in chunks(ids, _SITE_CHUNK):
            chunk = query.where(site_column == site, among(session, id_column, some))
            rows.extend(fetch_rows(session, chunk))
    return rows


def newest(session: Session, model: Any, keys: Collection[Key]) -> dict[Key, AnyRow]:
    """The mirrored rows of one kind, by key."""
    query = select(table_of(model))
    rows = select_by(session, query, model.integration_id, model.external_id, keys)
    return {(row.integration_id, row.external_id): row for row in rows}


def place_of(row: AnyRow) -> tuple[bool, int, datetime, bytes]:
    return row.deleted, row.resource_version, row.occurred_at, row.body_sha256


def invoices(session: Session, keys: Collection[Key]) -> dict[Key, AnyRow]:
    return newest(session, ChargebeeInvoice, keys)


def transactions(session: Session, keys: Collection[Key]) -> dict[Key, AnyRow]:
    return newest(session, ChargebeeTransaction, keys)


def customers(session: Session, keys: Collection[Key]) -> dict[Key, AnyRow]:
    return newest(session, ChargebeeCustomer, keys)


def versions_of(session: Session, kind: str, keys: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """Every version there was of objects of a kind, the oldest first."""
    model = ChargebeeVersion
    query = (
        select(model.integration_id, model.external_id, model.occurred_at, model.body)
        .where(model.kind == kind)
        .order_by(model.occurred_at, model.resource_version, model.body_sha256)
    )
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.external_id, keys):
        found[(row.integration_id, row.external_id)].append(row)
    return found


def refunds_of(session: Session, payments: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """Refunds and reversals by the payment they take back, in the order of their ids."""
    model = ChargebeeTransaction
    query = select(table_of(model)).order_by(model.external_id)
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.source_id, payments):
        found[(row.integration_id, row.source_id)].append(row)
    return found


def refund_notes(session: Session, refunds: Collection[Key]) -> dict[Key, list[AnyRow]]:
    model = RefundNote
    query = select(table_of(model)).order_by(model.note_id)
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.transaction_id, refunds):
        found[(row.integration_id, row.transaction_id)].append(row)
    return found


def adjustment_notes(session: Session, invoice_keys: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """Credit notes that lower what an invoice can earn, oldest first; voided ones count not."""
    model = ChargebeeCreditNote
    query = select(table_of(model)).where(
        model.kind == "adjustment", model.status != "voided", model.deleted.is_(False)
    )
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.invoice_id, invoice_keys):
        found[(row.integration_id, row.invoice_id)].append(row)
    return found


def applications_to(session: Session, invoice_keys: Collection[Key]) -> list[AnyRow]:
    """Every application of any payment to these invoices, also those undone since."""
    model = PaymentApplication
    return select_by(
        session, select(table_of(model)), model.integration_id, model.invoice_id, invoice_keys
    )


def applications_of(session: Session, payments: Collection[Key]) -> list[AnyRow]:
    """Every application of these payments, in the order the payment lists them."""
    model = PaymentApplication
    query = select(table_of(model)).order_by(model.position, model.invoice_id)
    return select_by(session, query, model.integration_id, model.transaction_id, payments)


def invoices_of_customers(session: Session, customer_keys: Collection[Key]) -> list[Key]:
    model = ChargebeeInvoice
    query = select(model.integration_id, model.external_id)
    rows = select_by(session, query, model.integration_id, model.customer_id, customer_keys)
    return [(row.integration_id, row.external_id) for row in rows]


def notes_about(session: Session, invoice_keys: Collection[Key]) -> set[Key]:
    """Credit notes of any kind that refer to these invoices."""
    model = ChargebeeCreditNote
    query = select(model.integration_id, model.external_id)
    rows = select_by(session, query, model.integration_id, model.invoice_id, invoice_keys)
    return {(row.integration_id, row.external_id) for row in rows}


def paid_by_credit(session: Session, note_keys: Collection[Key]) -> set[Key]:
    """Invoices that these credit notes paid something of."""
    model = CreditApplication
    query = select(model.integration_id, model.invoice_id)
    rows = select_by(session, query, model.integration_id, model.note_id, note_keys)
    return {(row.integration_id, row.invoice_id) for row in rows}


def first_events(session: Session, kind: str, keys: Collection[Key]) -> dict[Key, int]:
    """The event by which each object of a kind became known."""
    model = ChargebeeVersion
    by = (model.integration_id, model.external_id)
    query = (
        select(*by, func.min(model.received_event_id).label("first"))
        .where(model.kind == kind)
        .group_by(*by)
    )
    rows = select_by(session, query, *by, keys)
    return {(row.integration_id, row.external_id): row.first for row in rows}


def credits_of(session: Session, note_keys: Collection[Key]) -> list[AnyRow]:
    """What these credit notes paid of invoices, in the order of the invoices' ids."""
    model = CreditApplication
    query = select(table_of(model)).order_by(model.invoice_id)
    return select_by(session, query, model.integration_id, model.note_id, note_keys)


def credits_to(session: Session, invoice_keys: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """What credit notes paid of these invoices, by invoice, in the order of the notes' ids."""
    model = CreditApplication
    query = select(table_of(model)).order_by(model.note_id)
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.invoice_id, invoice_keys):
        found[(row.integration_id, row.invoice_id)].append(row)
    return found


def credit_notes(session: Session, keys: Collection[Key]) -> dict[Key, AnyRow]:
    return newest(session, ChargebeeCreditNote, keys)


def lines_of(session: Session, invoice_keys: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """Lines of invoices, in their order."""
    model = ChargebeeInvoiceLine
    query = select(table_of(model)).order_by(model.position)
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.invoice_id, invoice_keys):
        found[(row.integration_id, row.invoice_id)].append(row)
    return found


def note_lines(session: Session, note_keys: Collection[Key]) -> dict[Key, list[AnyRow]]:
    """Lines of credit notes, in their order."""
    model = ChargebeeCreditNoteLine
    query = select(table_of(model)).order_by(model.position)
    found: dict[Key, list[AnyRow]] = defaultdict(list)
    for row in select_by(session, query, model.integration_id, model.note_id, note_keys):
        found[(row.integration_id, row.note_id)].append(row)
    return found
