"""Rows as the bytes of a CSV file or of a workbook."""

import re
from collections.abc import Callable, Iterator
from typing import IO

from rewards_service.kit.cells import csv_bytes, csv_line_cells
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.sheets import TableSheet
from rewards_service.kit.table_views import Rows

JSON, CSV, XLSX = "json", "csv", "xlsx"
NAMES = (JSON, CSV, XLSX)
TYPES = {
    JSON: "application/json",
    CSV: "text/csv",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# As the document of the interface describes them.
FILES, FILE = (TYPES[CSV], TYPES[XLSX]), {"type": "string", "format": "binary"}


class TooManyRows(Unprocessable):
    code = "too_many_rows"
    title = "This is too much for one answer of this format."


def content_type(name: str) -> str:
    return f"{TYPES[name]}; charset=utf-8" if name == CSV else TYPES[name]


def file_name(path: str, name: str) -> str:
    """`/api/v1/payouts/pay_x/lines` as csv is "payouts-pay_x-lines-2026-01-31.csv"."""
    words = re.sub(r"[^A-Za-z0-9_]+", "-", path.partition("/v1/")[2]).strip("-")
    return f"{words}-{utc_now():%Y-%m-%d}.{name}"


def csv_parts(rows: Rows) -> Iterator[bytes]:
    """A CSV file, batch after batch: a header, then a line for each row."""
    yield csv_bytes([[column.name for column in rows.columns]])
    for batch in rows.batches:
        yield csv_bytes(csv_line_cells(cells) for cells in batch)


def write_workbook(
    target: IO[bytes], rows: Rows, most: int, tick: Callable[[int], None] = lambda _: None
) -> int:
    """Write a workbook of at most so many rows; how many it has. Raises TooManyRows.

    tick: called after each batch with the rows so far.
    """
    sheet, count = TableSheet(target, rows.columns), 0
    try:
        for batch in rows.batches:
            count += len(batch)
            if count > most:
                raise TooManyRows(
                    f"A workbook holds at most {most} rows here. Filter more, take CSV, or ask "
                    "for an export: POST /api/v1/exports."
                )
            sheet.add(batch)
            tick(count)
    finally:
        sheet.close()  # removes its temporary files, too
    return count
