"""Payouts as a workbook: a sheet of payouts, a sheet of their rewards."""

from collections.abc import Sequence
from io import BytesIO

import xlsxwriter

from rewards_service.kit.sheets import CREATED, OPTIONS, Sheet
from rewards_service.payouts.rows import Line, Payable

PAYOUT_HEADER = (
    "payout", "partner", "name", "e-mail", "cut-off", "amount", "currency", "to pay",
    "pay currency", "invoice",
)  # fmt: skip
LINE_HEADER = (
    "payout", "partner", "name", "reward", "Chargebee invoice", "amount", "currency", "to pay",
    "pay currency", "rate", "rate of", "rate source",
)  # fmt: skip


def render(payables: Sequence[Payable], lines: Sequence[Line]) -> bytes:
    """The bytes of an .xlsx file; the same payouts give the same bytes."""
    target = BytesIO()
    book = xlsxwriter.Workbook(target, {**OPTIONS, "in_memory": True})
    book.set_properties({"created": CREATED})
    sheet = Sheet(book, "Payouts", PAYOUT_HEADER)
    for one in payables:
        sheet.add(
            one.payout_id, one.partner_id, one.partner_name, one.partner_email,
            one.cut_off.isoformat(), (one.total_minor, one.currency), one.currency,
            _paid(one.pay_minor, one.pay_currency), one.pay_currency, one.invoice_number,
        )  # fmt: skip
    sheet = Sheet(book, "Rewards", LINE_HEADER)
    for line in lines:
        sheet.add(
            line.payout_id, line.partner_id, line.partner_name, line.reward_id,
            line.chargebee_invoice_id, (line.amount_minor, line.currency), line.currency,
            _paid(line.pay_minor, line.pay_currency), line.pay_currency, line.rate,
            None if line.rate_on is None else line.rate_on.isoformat(), line.rate_source,
        )  # fmt: skip
    book.close()
    return target.getvalue()


def _paid(amount_minor: int | None, currency: str) -> tuple[int, str] | None:
    return None if amount_minor is None else (amount_minor, currency)
