"""Rows of the mirror and of the books as the engine's values (pure)."""

from collections.abc import Iterable

from rewards_service.mirror.queries import Key
from rewards_service.rewards.figures import Adjustment, Invoice, Line, Noted, Payment, Refund
from rewards_service.rewards.queries import AnyRow, Money
from rewards_service.transactions.standing import is_kept, is_settled


def barred(payer: Key, money: Money, owner: AnyRow) -> str | None:
    """Why a payment may not earn whoever is paid (M16); None when it may."""
    paid_at = money.recorded[payer].occurred_at
    early = owner.attributed_from is not None and paid_at < owner.attributed_from
    return "before_attribution" if early else None


def payment(payer: Key, money: Money, barred: str | None) -> Payment:
    """A recorded payment with what took it back."""
    row, recorded = money.payments[payer], money.recorded[payer]
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
        payer[1], recorded.occurred_at, is_kept(row), money.applications[payer], refunds, barred,
        recorded.received_event_id, seen_at=row.occurred_at,
    )  # fmt: skip


def _noted(refund: Key, money: Money) -> dict[str, tuple[Noted, ...]]:
    found: dict[str, tuple[Noted, ...]] = {}
    for note_id, invoice_id, amount in money.details.notes_of.get(refund, ()):
        note = money.details.credit_notes.get((refund[0], note_id))
        lines = _lines(money.details.note_lines.get((refund[0], note_id), ()))
        if note is not None and note.total_minor > 0 and lines and invoice_id:
            noted = Noted(amount, note.total_minor, lines)
            found[invoice_id] = (*found.get(invoice_id, ()), noted)
    return found


def credits(key: Key, money: Money, owner: AnyRow) -> list[Payment]:
    """Money of voided invoices that a credit note brought here: it earns again (A3)."""
    found = []
    for credit in money.details.credits.get(key, ()):
        site = key[0]
        origin = (site, credit.source_payment_id)
        if origin in money.recorded and money.recorded[origin].customer_id == owner.id:
            paid_at = money.recorded[origin].occurred_at
            log_id = money.recorded[origin].received_event_id
            found.append(
                Payment(origin[1], paid_at, True, {key[1]: credit.applied_minor}, [],
                        barred(origin, money, owner), log_id, credit.note_id)
            )  # fmt: skip
    return found


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
        )
        for n in money.adjustments.get(key, ())
    ]  # fmt: skip
    country = row.country or money.details.countries.get((key[0], row.customer_id))
    return Invoice(
        key[1], row.currency, row.total_minor, row.write_off_minor, row.lines_net_minor,
        row.lines_gross_minor, row.status == "voided" or row.deleted, notes,
        _lines(money.details.lines.get(key, ())), row.customer_id, country, row.invoiced_at,
        row.occurred_at,
    )  # fmt: skip
