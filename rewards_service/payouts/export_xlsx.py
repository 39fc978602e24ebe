"""Payouts as a workbook: a sheet of payouts, a sheet of their rewards."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter

from rewards_service.kit.money import exponent
from rewards_service.payouts.rows import Line, Payable, decimal_text

PAYOUT_HEADER = (
    "payout", "partner", "name", "e-mail", "cut-off", "amount", "currency", "to pay",
    "pay currency", "invoice",
)  # fmt: skip
LINE_HEADER = (
    "payout", "partner", "name", "reward", "Chargebee invoice", "amount", "currency", "to pay",
    "pay currency", "rate", "rate of", "rate source",
)  # fmt: skip
# Texts stay texts: nothing in a name becomes a formula, a link or a number.
_OPTIONS = {
    "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
    "strings_to_numbers": False,
}  # fmt: skip
# A fixed date, so that the same payouts give the same bytes.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
# Spreadsheets keep 15 digits of a number; what is longer is written as a text.
_EXACT = 10**15


def render(payables: Sequence[Payable], lines: Sequence[Line]) -> bytes:
    """The bytes of an .xlsx file; the same payouts give the same bytes."""
    target = BytesIO()
    book = xlsxwriter.Workbook(target, dict(_OPTIONS))
    book.set_properties({"created": _CREATED})
    sheet = _Sheet(book, "Payouts", PAYOUT_HEADER)
    for one in payables:
        sheet.add(
            one.payout_id, one.partner_id, one.partner_name, one.partner_email,
            one.cut_off.isoformat(), (one.total_minor, one.currency), one.currency,
            _paid(one.pay_minor, one.pay_currency), one.pay_currency, one.invoice_number,
        )  # fmt: skip
    sheet = _Sheet(book, "Rewards", LINE_HEADER)
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


class _Sheet:
    """One sheet, filled row by row; money is given as (minor units, currency)."""

    def __init__(self, book: Any, name: str, header: Sequence[str]) -> None:
        self._book, self._sheet, self._row = book, book.add_worksheet(name), 0
        self._formats: dict[int, Any] = {}
        bold = book.add_format({"bold": True})
        for column, title in enumerate(header):
            self._sheet.write_string(0, column, title, bold)
        self._sheet.freeze_panes(1, 0)

    def add(self, *cells: str | tuple[int, str] | None) -> None:
        self._row += 1
        for column, cell in enumerate(cells):
            if isinstance(cell, tuple):
                self._write_money(column, *cell)
            elif cell is not None:
                self._sheet.write_string(self._row, column, cell)

    def _write_money(self, column: int, amount_minor: int, currency: str) -> None:
        text = decimal_text(amount_minor, currency)
        if abs(amount_minor) >= _EXACT:
            self._sheet.write_string(self._row, column, text)
            return
        self._sheet.write_number(self._row, column, Decimal(text), self._format(currency))

    def _format(self, currency: str) -> Any:
        digits = exponent(currency)
        if digits not in self._formats:
            pattern = f"0.{'0' * digits}" if digits else "0"
            self._formats[digits] = self._book.add_format({"num_format": pattern})
        return self._formats[digits]
