"""What only some rules look at: lines, countries, credits. Loaded where a rule asks for it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import AnyRow, Key
from rewards_service.programs.rules import BY_LINE, PRORATE, Conditions, ItemFilter, RuleVersion


class Credit(NamedTuple):
    """Money of a voided invoice's payment that a credit note brought to another invoice."""

    note_id: str
    source_payment_id: str
    applied_minor: int


@dataclass(slots=True)
class Credited:
    """Credits by the invoice they paid; `origins` are the payments they come from."""

    by_invoice: dict[Key, list[Credit]] = field(default_factory=dict)
    origins: set[Key] = field(default_factory=set)


@dataclass(slots=True)
class Details:
    """Lines of invoices and notes, notes of refunds, countries of customers."""

    lines: dict[Key, list[AnyRow]] = field(default_factory=dict)
    note_lines: dict[Key, list[AnyRow]] = field(default_factory=dict)
    credit_notes: dict[Key, AnyRow] = field(default_factory=dict)
    notes_of: dict[Key, list[tuple[str, str | None, int]]] = field(default_factory=dict)
    countries: dict[Key, str | None] = field(default_factory=dict)
    credits: dict[Key, list[Credit]] = field(default_factory=dict)


def load_credits(session: Session, invoices: Collection[Key]) -> Credited:
    """What notes of voided invoices paid of these: money that earns again (DOMAIN A2, A3)."""
    applied = mirror.credits_to(session, invoices)
    found = Credited()
    if not applied:
        return found
    notes = mirror.credit_notes(
        session, {(row.integration_id, row.note_id) for rows in applied.values() for row in rows}
    )
    sources = {(key[0], note.invoice_id) for key, note in notes.items() if note.invoice_id}
    voided = {
        key for key, row in mirror.invoices(session, sources).items()
        if row.status == "voided" or row.deleted
    }  # fmt: skip
    payments = _first_payments(session, voided)
    for key, rows in applied.items():
        found.by_invoice[key] = [
            Credit(row.note_id, payments[source], row.applied_minor)
            for row in rows
            if (source := _source(row, notes)) in payments and _stands(row, notes)
        ]
    found.origins = {
        (key[0], credit.source_payment_id)
        for key, some in found.by_invoice.items()
        for credit in some
    }
    return found


def _source(row: AnyRow, notes: dict[Key, AnyRow]) -> Key:
    note = notes.get((row.integration_id, row.note_id))
    return row.integration_id, "" if note is None else note.invoice_id or ""


def _stands(row: AnyRow, notes: dict[Key, AnyRow]) -> bool:
    note = notes[(row.integration_id, row.note_id)]
    return note.kind != "adjustment" and note.status != "voided" and not note.deleted


def _first_payments(session: Session, invoices: Collection[Key]) -> dict[Key, str]:
    """Invoice -> the first payment that was ever applied to it, by date and id."""
    rows = mirror.applications_to(session, invoices)
    payments = mirror.transactions(session, {(r.integration_id, r.transaction_id) for r in rows})
    found: dict[Key, tuple[Any, str]] = {}
    for row in rows:
        payment = payments.get((row.integration_id, row.transaction_id))
        if payment is None or payment.dated_at is None:
            continue
        key, place = (row.integration_id, row.invoice_id), (payment.dated_at, row.transaction_id)
        found[key] = min(found.get(key, place), place)
    return {key: payment_id for key, (_, payment_id) in found.items()}


def load_details(
    session: Session,
    invoices: dict[Key, AnyRow],
    adjustments: dict[Key, list[AnyRow]],
    refund_notes: dict[Key, list[AnyRow]],
    credited: Credited,
    versions: Iterable[RuleVersion],
) -> Details:
    """What the rules there are may look at, and no more."""
    found = Details(credits=credited.by_invoice)
    terms = [version.terms for version in versions]
    by_line = any(one.refund_allocation == BY_LINE for one in terms)
    items = any(one.items != ItemFilter() for one in terms)
    if items or by_line or any(one.annual == PRORATE for one in terms):
        found.lines = mirror.lines_of(session, invoices.keys())
    if items or by_line:
        _load_notes(session, adjustments, refund_notes, by_line, found)
    if any(one.conditions != Conditions() for one in terms):
        keys = {(site, row.customer_id) for (site, _), row in invoices.items()}
        rows = mirror.customers(session, keys)
        found.countries = {key: row.country for key, row in rows.items()}
    return found


def _load_notes(
    session: Session,
    adjustments: dict[Key, list[AnyRow]],
    refund_notes: dict[Key, list[AnyRow]],
    by_line: bool,
    found: Details,
) -> None:
    wanted = {(n.integration_id, n.external_id) for some in adjustments.values() for n in some}
    if by_line:
        notes: dict[Key, list[tuple[str, str | None, int]]] = defaultdict(list)
        for key, rows in refund_notes.items():
            wanted |= {(key[0], row.note_id) for row in rows}
            notes[key] = [(row.note_id, row.invoice_id, row.applied_minor) for row in rows]
        found.notes_of = notes
        found.credit_notes = mirror.credit_notes(session, wanted)
    found.note_lines = mirror.note_lines(session, wanted)
