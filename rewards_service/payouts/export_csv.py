"""Payouts as CSV: a row for each reward, for people; and as PayPal and Wise want their batches."""

from collections.abc import Sequence

from rewards_service.kit.cells import csv_bytes, decimal_text, harmless
from rewards_service.payouts.rows import Line, Payable

HEADER = (
    "payout_id", "partner_id", "partner_name", "reward_id", "chargebee_invoice_id", "amount",
    "currency", "pay_amount", "pay_currency", "rate", "rate_on", "rate_source",
)  # fmt: skip
# Wise's template for bank accounts and e-mail addresses; whoever sends pays the fees ("target").
WISE_HEADER = (
    "name", "recipientEmail", "paymentReference", "receiverType", "amountCurrency", "amount",
    "sourceCurrency", "targetCurrency", "IBAN",
)  # fmt: skip


def render_lines(lines: Sequence[Line]) -> bytes:
    """One row for each reward, under a header. Amounts are decimal numbers of their currency."""
    return csv_bytes([HEADER, *(_row(line) for line in lines)])


def _row(line: Line) -> tuple[str, ...]:
    paid = "" if line.pay_minor is None else decimal_text(line.pay_minor, line.pay_currency)
    return (
        line.payout_id,
        line.partner_id,
        harmless(line.partner_name),
        line.reward_id,
        harmless(line.chargebee_invoice_id),
        decimal_text(line.amount_minor, line.currency),
        line.currency,
        paid,
        line.pay_currency,
        line.rate or "",
        "" if line.rate_on is None else line.rate_on.isoformat(),
        harmless(line.rate_source),
    )


def render_paypal(payables: Sequence[Payable]) -> bytes:
    """PayPal's Payouts file: no header, one currency, at most 5,000 rows.

    Columns: e-mail address, amount, currency, our id of the payout, note, wallet.
    """
    return csv_bytes(
        (
            harmless(one.details["paypal_email"]),
            decimal_text(one.pay_minor or 0, one.pay_currency),
            one.pay_currency,
            one.payout_id,
            f"Payout {one.payout_id}",
            "PAYPAL",
        )
        for one in payables
    )


def render_wise(payables: Sequence[Payable]) -> bytes:
    """Wise's batch file, at most 1,000 rows; by IBAN where it is known, else by e-mail."""
    return csv_bytes([WISE_HEADER, *(_wise_row(one) for one in payables)])


def _wise_row(one: Payable) -> tuple[str, ...]:
    iban = one.details.get("iban", "")
    return (
        harmless(one.account_name),
        harmless(one.details.get("wise_email")),
        one.payout_id,
        "INSTITUTION",
        "target",
        decimal_text(one.pay_minor or 0, one.pay_currency),
        one.pay_currency,
        one.pay_currency,
        iban,
    )
