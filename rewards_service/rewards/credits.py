"""Money of voided invoices that credit notes brought to others: it earns again (DOMAIN A2, A3)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.orm import Session

from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import AnyRow, Key


class Move(NamedTuple):
    """A part of a payment that a credit note brought from a voided invoice to another one."""

    note_id: str
    payment_id: str
    from_invoice_id: str
    to_invoice_id: str
    amount_minor: int


class Credit(NamedTuple):
    """What a credit note of a voided invoice paid of another one."""

    note_id: str
    invoice_id: str
    amount_minor: int


@dataclass(slots=True)
class Credited:
    """Moves by payment, and the payments they come from by the invoice they paid."""

    moves: dict[Key, list[Move]] = field(default_factory=dict)
    sources: dict[Key, list[tuple[Key, str]]] = field(default_factory=dict)  # (payment, note)


def allocate(
    payments: Iterable[tuple[str, int]], credits: Iterable[Credit]
) -> list[tuple[str, Credit]]:
    """Which payment's money each credit is, with how much of it: (payment id, credit) (pure).

    payments: (id, what it applied to the voided invoice), the earliest first. Credits take what
    is there in their order; more than was paid is no money.
    """
    left = dict(payments)
    found: list[tuple[str, Credit]] = []
    for credit in credits:
        wanted = credit.amount_minor
        for name, there in left.items():
            taken = min(wanted, there)
            if taken > 0:
                found.append((name, credit._replace(amount_minor=taken)))
                left[name] -= taken
                wanted -= taken
    return found


def moved(applied: Mapping[str, int], moves: Sequence[Move]) -> dict[str, int]:
    """What a payment applied to which invoice, once credit notes have brought parts elsewhere."""
    found = dict(applied)
    for move in moves:
        found[move.from_invoice_id] = found.get(move.from_invoice_id, 0) - move.amount_minor
        found[move.to_invoice_id] = found.get(move.to_invoice_id, 0) + move.amount_minor
    return found


def load_credits(session: Session, invoices: Collection[Key]) -> Credited:
    """Moves that have to do with these invoices: as the one that was voided, or that was paid."""
    about = mirror.notes_about(session, invoices)
    about |= {
        (row.integration_id, row.note_id)
        for rows in mirror.credits_to(session, invoices).values()
        for row in rows
    }
    if not about:
        return Credited()
    notes = mirror.credit_notes(session, about)
    sources = {(key[0], note.invoice_id) for key, note in notes.items() if note.invoice_id}
    voided = {
        key for key, row in mirror.invoices(session, sources).items()
        if row.status == "voided" or row.deleted
    }  # fmt: skip
    return _moves(session, voided) if voided else Credited()


def _moves(session: Session, voided: Collection[Key]) -> Credited:
    """All that the notes of voided invoices brought elsewhere: shares depend on one another."""
    notes = mirror.credit_notes(session, mirror.notes_about(session, voided))
    standing = {key: note for key, note in notes.items() if _stands(note)}
    credits: dict[Key, list[Credit]] = defaultdict(list)
    for row in mirror.credits_of(session, standing.keys()):
        source = (row.integration_id, standing[(row.integration_id, row.note_id)].invoice_id)
        credits[source].append(Credit(row.note_id, row.invoice_id, row.applied_minor))
    payments = _payments_to(session, credits.keys())
    found = Credited(defaultdict(list), defaultdict(list))
    for source, some in credits.items():
        for payment_id, credit in allocate(payments[source], sorted(some)):
            payer = (source[0], payment_id)
            move = Move(
                credit.note_id, payment_id, source[1], credit.invoice_id, credit.amount_minor
            )
            found.moves[payer].append(move)
            found.sources[(source[0], credit.invoice_id)].append((payer, credit.note_id))
    return found


def _stands(note: AnyRow) -> bool:
    return note.kind != "adjustment" and note.status != "voided" and not note.deleted


def _payments_to(session: Session, invoices: Collection[Key]) -> dict[Key, list[tuple[str, int]]]:
    """(payment, applied) of each invoice, by date and id; also of those undone since."""
    rows = mirror.applications_to(session, invoices)
    payments = mirror.transactions(session, {(r.integration_id, r.transaction_id) for r in rows})
    found: dict[Key, list[tuple[str, int]]] = defaultdict(list)
    dated = [
        (payment.dated_at, row.transaction_id, row)
        for row in rows
        if (payment := payments.get((row.integration_id, row.transaction_id))) is not None
        and payment.dated_at is not None
    ]
    for _, name, row in sorted(dated, key=lambda one: one[:2]):
        found[(row.integration_id, row.invoice_id)].append((name, row.applied_minor))
    return found
