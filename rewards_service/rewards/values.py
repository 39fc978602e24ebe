"""Rows of the mirror and of the books as the engine's values (pure)."""

from collections.abc import Collection, Iterable

from rewards_service.mirror.queries import Key
from rewards_service.rewards.credits import moved
from rewards_service.rewards.figures import Adjustment, Invoice, Line, Noted, Payment, Refund
from rewards_service.rewards.queries import AnyRow, Money
from rewards_service.transactions.standing import is_kept, is_settled

WRITE_OFF = "write_off"  # as the reason of a credit note


def barred(payer: Key, money: Money, owner: AnyRow) -> str | None:
    """Why a payment may not earn whoever is paid (M16); None when it may."""
    paid_at = money.recorded[payer].occurred_at
    early = owner.attributed_from is not None and paid_at < owner.attributed_from
    return "before_attribution" if early else None


def payment(
    payer: Key, money: Money, barred: str | None, credit_note_id: str | None = None
) -> Payment:
    """A recorded payment with what took it back, its money where credit notes brought it."""
    row, recorded = money.payments[payer], money.recorded[payer]
    moves = money.details.credited.moves.get(payer, ())
    refunds = [
        Refund(
            refund.external_id, refund.amount_minor,
            money.assigned.get((payer[0], refund.external_id), {}),
            refund.received_event_id or 0, refund.dated_at,
            _noted((payer[0], refund.external_id), money),
        )
        for refund in money.refunds.get(payer, ())
        if is_settled(refund)
    ]  # fmt: skip
    return Payment(
        payer[1], recorded.occurred_at, is_kept(row), moved(money.applications[payer], moves),
        refunds, barred, recorded.received_event_id, credit_note_id, row.occurred_at,
        row.received_event_id or 0,
    )  # fmt: skip


def newest_log_id(payers: Collection[Key], money: Money) -> int:
    """The event that brought the newest refund of these payments, also one that came to nothing."""
    rows = (row for payer in payers for row in money.refunds.get(payer, ()))
    return max((row.received_event_id or 0 for row in rows), default=0)


def _noted(refund: Key, money: Money) -> dict[str, tuple[Noted, ...]]:
    found: dict[str, tuple[Noted, ...]] = {}
    for note_id, invoice_id, amount in money.details.notes_of.get(refund, ()):
        note = money.details.credit_notes.get((refund[0], note_id))
        lines = _lines(money.details.note_lines.get((refund[0], note_id), ()))
        if note is not None and note.total_minor > 0 and lines and invoice_id:
            noted = Noted(amount, note.total_minor, lines)
            found[invoice_id] = (*found.get(invoice_id, ()), noted)
    return found


def credits(key: Key, payers: Collection[Key], money: Money, owner: AnyRow) -> list[Payment]:
    """Payments to voided invoices whose money credit notes brought here: it earns again (A3).

    Those of `payers` paid here themselves and are none of these.
    """
    sources = dict(reversed(money.details.credited.sources.get(key, ())))
    return [
        payment(payer, money, barred(payer, money, owner), note_id)
        for payer, note_id in sorted(sources.items())
        if payer not in payers
        and payer in money.recorded
        and money.recorded[payer].customer_id == owner.id
    ]


def _lines(rows: Iterable[AnyRow]) -> tuple[Line, ...]:
    return tuple(
        Line(
            getattr(row, "line_id", None) or getattr(row, "reference_line_id", None),
            row.entity_type, row.entity_id, row.net_minor,
            getattr(row, "gross_minor", None) or row.net_minor + getattr(row, "tax_minor", 0),
            getattr(row, "service_from_at", None), getattr(row, "service_to_at", None),
        )
        for row in rows
    )  # fmt: skip


def invoice(key: Key, row: AnyRow, money: Money) -> Invoice:
    """A mirrored invoice with its adjustment notes."""
    notes = [
        Adjustment(
            n.external_id, n.dated_at, n.total_minor, n.net_minor, n.gross_minor,
            _lines(money.details.note_lines.get((key[0], n.external_id), ())),
            n.received_event_id or 0,
        )
        for n in money.adjustments.get(key, ())
    ]  # fmt: skip
    country = row.country or money.details.country_of((key[0], row.customer_id), row.invoiced_at)
    return Invoice(
        key[1], row.currency, row.total_minor, _written_off(key, row, money), row.lines_net_minor,
        row.lines_gross_minor, row.status == "voided" or row.deleted, notes,
        _lines(money.details.lines.get(key, ())), row.customer_id, country, row.invoiced_at,
        row.occurred_at, row.received_event_id or 0, money.details.first_seen.get(key, 0),
    )  # fmt: skip


def _written_off(key: Key, row: AnyRow, money: Money) -> int:
    """What was written off without a credit note, minor units.

    Chargebee tells a write-off twice: in the invoice's `write_off_amount`, and as an adjustment
    note with this reason. The note counts, since it names the lines (A2, A3).
    """
    notes = money.adjustments.get(key, ())
    noted = sum(note.total_minor for note in notes if note.reason_code == WRITE_OFF)
    return int(max(row.write_off_minor - noted, 0))
