"""A CSV file that people upload: read strictly, with the line of everything that is wrong (pure).

UTF-8, with or without its mark; comma, semicolon or tab, whichever makes the header known columns.
"""

import csv
import re
from collections.abc import Collection, Iterator
from io import StringIO
from typing import NamedTuple

DELIMITERS = (",", ";", "\t")
# Signs by which spreadsheets know a formula: a cell that begins so is nobody's name.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_HEADER_LINE = 1
_NUMBER = re.compile(r"-[0-9]+")


class Flaw(NamedTuple):
    """What is wrong, in which line (the first is 1) and column; the first of its lines."""

    line: int
    column: str | None
    detail: str


class Record(NamedTuple):
    """One row: the line it begins in, and its cells by column, spaces around them left out."""

    line: int
    cells: dict[str, str]


class Sheet(NamedTuple):
    """The rows of a file, without empty ones, and all that is wrong with it."""

    columns: list[str]
    records: list[Record]
    flaws: list[Flaw]


def read_sheet(body: bytes, known: Collection[str], most_rows: int) -> Sheet:
    """Read a file whose first line names columns, all of them among `known`.

    A file that cannot be read whole has no records, only flaws. Empty cells are left out of rows.
    """
    text = _decoded(body)
    if isinstance(text, Flaw):
        return Sheet([], [], [text])
    rows = _rows(text, _delimiter(text, known))
    first = next(rows, None)
    if first is None or isinstance(first, Flaw):
        empty = Flaw(_HEADER_LINE, None, "The file is empty: its first line names the columns.")
        return Sheet([], [], [first or empty])
    columns = [name.strip(" ") for name in first[1]]
    flaws = list(_header_flaws(columns, known))
    return Sheet(columns, [], flaws) if flaws else _read(rows, columns, most_rows)


def _decoded(body: bytes) -> str | Flaw:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Flaw(_HEADER_LINE, None, "The file is UTF-16: save it as CSV in UTF-8.")
    nul = body.find(b"\0")
    if nul >= 0:
        return Flaw(_line_of(body, nul), None, "Holds a NUL byte: this is no CSV in UTF-8.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # Where the text with the mark left out begins, the mark's bytes are not counted.
        offset = problem.start + (3 if body.startswith(b"\xef\xbb\xbf") else 0)
        return Flaw(
            _line_of(body, offset), None,
            f"Not UTF-8 (byte 0x{body[offset]:02x}): save the file as CSV in UTF-8.",
        )  # fmt: skip


def _line_of(body: bytes, offset: int) -> int:
    return len(body[:offset].splitlines()) + (body[:offset].endswith((b"\n", b"\r")) or not offset)


def _delimiter(text: str, known: Collection[str]) -> str:
    """The one that splits the first line into the most known columns."""
    header = next(iter(text.splitlines()), "")
    return max(
        DELIMITERS,
        key=lambda sign: sum(cell.strip(' "') in known for cell in header.split(sign)),
    )


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]] | Flaw]:
    """(line, cells) of each row with any; a flaw ends them."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip(" ") for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as problem:
        yield Flaw(line, None, f"Cannot be read as CSV: {problem}.")


def _header_flaws(columns: list[str], known: Collection[str]) -> Iterator[Flaw]:
    for place, name in enumerate(columns):
        if not name:
            yield Flaw(_HEADER_LINE, None, f"Column {place + 1} has no name.")
        elif name not in known:
            detail = f"There is no column of this name. Known are: {', '.join(known)}."
            yield Flaw(_HEADER_LINE, name[:100], detail)
        elif name in columns[:place]:
            yield Flaw(_HEADER_LINE, name, "This column is there twice.")


def _read(
    rows: Iterator[tuple[int, list[str]] | Flaw], columns: list[str], most_rows: int
) -> Sheet:
    records: list[Record] = []
    flaws: list[Flaw] = []
    for row in rows:
        if isinstance(row, Flaw):
            return Sheet(columns, [], [*flaws, row])
        line, cells = row
        if len(records) == most_rows:
            too_many = Flaw(line, None, f"More than {most_rows} rows: split the file.")
            return Sheet(columns, [], [too_many])
        if len(cells) != len(columns):
            detail = f"Has {len(cells)} cells, and the header {len(columns)}."
            flaws.append(Flaw(line, None, detail))
            continue
        named = {name: cell.strip(" ") for name, cell in zip(columns, cells, strict=True)}
        flaws += [Flaw(line, name, _FORMULA) for name, cell in named.items() if is_formula(cell)]
        records.append(Record(line, {name: cell for name, cell in named.items() if cell}))
    return Sheet(columns, records, flaws)


_FORMULA = "Begins like a formula of a spreadsheet: leave the first sign out."


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula; a negative number is none."""
    return cell.startswith(FORMULA_SIGNS) and not _NUMBER.fullmatch(cell)
