"""Workbooks with one row after another, in memory that does not grow with them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from rewards_service.kit.cells import decimal_text
from rewards_service.kit.money import exponent, is_currency
from rewards_service.kit.tables import MINOR, Cell, Column, money_of

MOST_ROWS = 1_048_575  # of a sheet, below its header
# Texts stay texts: nothing in a name becomes a formula, a link or a number.
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
# A fixed date, so that the same rows give the same bytes.
CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
# Spreadsheets keep 15 digits of a number; what is longer is written as a text.
_EXACT = 10**15
_LONGEST_TEXT = 32_767


class Sheet:
    """One sheet, filled row by row; money is given as (minor units, currency)."""

    def __init__(self, book: Any, name: str, header: Sequence[str]) -> None:
        self._book, self._sheet, self._row = book, book.add_worksheet(name), 0
        self._formats: dict[int, Any] = {}
        bold = book.add_format({"bold": True})
        for column, title in enumerate(header):
            self._sheet.write_string(0, column, title, bold)
        self._sheet.freeze_panes(1, 0)

    def add(self, *cells: Cell | tuple[int, str]) -> None:
        self._row += 1
        for column, cell in enumerate(cells):
            if isinstance(cell, tuple):
                self._write_money(column, *cell)
            elif isinstance(cell, int) and abs(cell) < _EXACT:
                self._sheet.write_number(self._row, column, cell)
            elif cell is not None:
                self._sheet.write_string(self._row, column, _fitting(str(cell)))

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


def _fitting(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


class TableSheet:
    """A workbook of one table: its columns, and beside each `*_minor` the amount as a number."""

    def __init__(self, target: IO[bytes], columns: Sequence[Column]) -> None:
        options = {**OPTIONS, "constant_memory": True}
        self._book = xlsxwriter.Workbook(target, options)
        self._book.set_properties({"created": CREATED})
        self._money = money_of(columns)
        header: list[str] = []
        for place, column in enumerate(columns):
            header.append(column.name)
            if place in self._money:
                header.append(column.name.removesuffix(MINOR))
        self._sheet = Sheet(self._book, "Rows", header)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            self._sheet.add(*self._with_amounts(row))

    def _with_amounts(self, row: Sequence[Cell]) -> list[Cell | tuple[int, str]]:
        found: list[Cell | tuple[int, str]] = []
        for place, cell in enumerate(row):
            found.append(cell)
            if place in self._money:
                currency = row[self._money[place].currency]
                known = isinstance(cell, int) and is_currency(str(currency))
                found.append((int(cell or 0), str(currency)) if known else None)
        return found

    def close(self) -> None:
        """Write the file out."""
        self._book.close()
