"""Payouts as the API shows them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.kit.cells import decimal_text
from rewards_service.kit.money import format_minor
from rewards_service.payouts import queries
from rewards_service.payouts.models import Payout, PayoutExport, PayoutLine
from rewards_service.payouts.queries import Quoted
from rewards_service.payouts.statement import convert, exact_text

_PLAIN = (
    "id", "partner_id", "currency", "status", "problem", "total_minor", "line_count",
    "pay_currency", "pay_total_minor", "invoice_number", "reference", "paid_on", "ready_at",
    "paid_at", "schedule_id", "ledger_sha256", "created_at", "updated_at",
)  # fmt: skip
_EXPORT = ("format", "part", "parts", "file_name", "sha256", "actor", "at")


def show(
    session: Session, payouts: Sequence[Payout], own: int | None = None
) -> list[dict[str, Any]]:
    """Payouts with their conversion and the files they were exported to, without their lines.

    own: as this partner may see them, without files, which may hold payouts of others.
    """
    keys = [payout.id for payout in payouts]
    # Lines of the others have no rate: to look for one would be to read them all.
    converted = [one.id for one in payouts if one.pay_currency != one.currency]
    quotes = queries.quotes_of(session, converted) if converted else {}
    exports = queries.exports_of(session, keys) if own is None else {}
    return [
        {
            **{name: getattr(payout, name) for name in _PLAIN},
            "cut_off": payout.cut_off_on,
            "conversion": _conversion(payout, quotes.get(payout.id, [])),
            "exports": [_export(one) for one in exports.get(payout.id, ())],
        }
        for payout in payouts
    ]


def show_lines(
    session: Session, payout: Payout, lines: Sequence[PayoutLine]
) -> list[dict[str, Any]]:
    """Lines of one payout, each with the Chargebee invoice of its reward."""
    invoices = queries.invoices_of(session, [line.reward_id for line in lines])
    return [
        {
            "reward_id": line.reward_id,
            "chargebee_invoice_id": invoices[line.reward_id],
            "amount_minor": line.amount_minor,
            "currency": payout.currency,
            "pay_amount_minor": line.pay_amount_minor,
            "pay_currency": payout.pay_currency,
            "rate": line.rate,
            "rate_on": line.rate_on,
            "rate_source": line.rate_source,
        }
        for line in lines
    ]


def _conversion(payout: Payout, quotes: Sequence[Quoted]) -> dict[str, Any] | None:
    """How the total was converted; None where nothing was, or not yet."""
    if payout.pay_total_minor is None or not quotes:
        return None
    lines = [(quote.amount_minor, quote.rate) for quote in quotes]
    conversion = convert(lines, payout.currency, payout.pay_currency)
    parts = [
        f"{decimal_text(quote.amount_minor, payout.currency)} {payout.currency} x {quote.rate} "
        f"({quote.rate_source}, {quote.rate_on})"
        for quote in quotes
    ]
    exact = exact_text(conversion.exact_minor)
    paid = format_minor(conversion.total_minor, payout.pay_currency)
    text = (
        f"{' + '.join(parts)} = {exact} minor units of {payout.pay_currency}, "
        f"rounded once, half-even: {paid}."
    )
    rates = [quote._asdict() for quote in quotes]
    return {"rates": rates, "exact_minor": exact, "text": text}


def _export(export: PayoutExport) -> dict[str, Any]:
    return {name: getattr(export, name) for name in _EXPORT}
