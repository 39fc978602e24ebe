"""How cells of a table are written, for programs and for spreadsheets (pure)."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import orjson

from rewards_service.kit.money import format_minor

# A spreadsheet takes a text that begins so for a formula; the wide signs are the same to it.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def decimal_text(amount_minor: int, currency: str) -> str:
    """Minor units as a decimal number: -1250 USD is "-12.50", 93 JPY "93", 1234 KWD "1.234"."""
    return format_minor(amount_minor, currency).partition(" ")[0]


def harmless(text: str | None) -> str:
    """A text cell that no spreadsheet takes for a formula: such a text gets a leading "'"."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def plain(value: Any) -> str | int | None:
    """A value of a JSON answer as one cell: texts and whole numbers as they are, None nothing.

    true and false are words, lists and objects their JSON.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, Mapping | list | tuple):
        return orjson.dumps(value).decode()
    return str(value)


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Cells as UTF-8 CSV with CRLF (RFC 4180)."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def csv_line_cells(cells: Iterable[str | int | None]) -> list[str]:
    """Cells for CSV: numbers stay numbers, no text is a formula."""
    return [str(cell) if isinstance(cell, int) else harmless(cell) for cell in cells]
