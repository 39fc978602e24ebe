"""One answer in several formats: JSON as the view gives it, its rows as CSV or as a workbook.

Whatever gives out rows does it by the schema of its answer alone: all pages do, and a report whose
schema names the member that holds its rows.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import wraps
from threading import BoundedSemaphore
from typing import IO, Any

import structlog
from flask import Response, after_this_request, g, request, stream_with_context
from marshmallow import Schema

from rewards_service.kit.accepting import best
from rewards_service.kit.cells import csv_bytes
from rewards_service.kit.db import db, snapshot
from rewards_service.kit.errors import NotAcceptable, Unavailable
from rewards_service.kit.files import (
    CSV,
    JSON,
    NAMES,
    TYPES,
    content_type,
    csv_parts,
    file_name,
    write_workbook,
)
from rewards_service.kit.table_views import Rows, TableView, View

log = structlog.get_logger()

MOST_ROWS_AT_ONCE = 50_000  # of a workbook, which is made before its first byte is sent
# Of a process with four threads: whoever reads slowly must not keep all others out.
MOST_STREAMS = 2
BROKEN_OFF = "BROKEN OFF: this file is not complete. Ask for it again."
_CHUNK = 65_536

_streams = BoundedSemaphore(MOST_STREAMS)


class TooManyStreams(Unavailable):
    code = "exports_busy"
    title = "Enough files are being sent right now."


def negotiable(view: View, answer: type[Schema] | Schema | None, query: Any) -> View:
    """A GET view that answers in the format that is asked for, and 406 for any other.

    An answer's schema names the member that holds rows, if any, as `rows_member`.
    """
    if answer is None:
        return view
    schema = answer() if isinstance(answer, type) else answer
    member = getattr(schema, "rows_member", None)
    if member is None:
        return _json_only(view)
    table = TableView(view, schema, member, query)

    @wraps(view)
    def negotiated(*args: Any, **kwargs: Any) -> Any:
        after_this_request(_vary)
        asked = args[0].pop("format", None) if query is not None else None
        name = asked or _accepted(NAMES)
        if name == JSON:
            return view(*args, **kwargs)
        return as_file(name, table, args, kwargs, request.path)

    negotiated.table = table  # type: ignore[attr-defined]
    return negotiated


def _json_only(view: View) -> View:
    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        _accepted((JSON,))
        return view(*args, **kwargs)

    return checked


def _accepted(names: Sequence[str]) -> str:
    accepted = best(request.headers.get("Accept", ""), [TYPES[name] for name in names])
    if accepted is None:
        offered = ", ".join(TYPES[name] for name in names)
        raise NotAcceptable(f"This address answers {offered}; Accept names none of them.")
    return next(name for name in names if TYPES[name] == accepted)


def _vary(answer: Response) -> Response:
    answer.vary.add("Accept")
    return answer


def as_file(
    name: str, table: TableView, args: Sequence[Any], kwargs: Mapping[str, Any], path: str
) -> Response:
    """The rows as a file, all of one moment; what goes wrong before the first is a problem.

    path: of the list or report, after which the file is named. Raises TooManyStreams, TooManyRows
    and whatever the view does.
    """
    if not _streams.acquire(blocking=False):
        raise TooManyStreams(
            f"This process sends {MOST_STREAMS} files already. Try again shortly, or ask for an "
            "export: POST /api/v1/exports."
        )
    ends = ExitStack()
    ends.callback(_streams.release)
    try:
        # Of its own: the request's session ends with the view, before the answer is sent.
        g.session = ends.enter_context(snapshot(db.engine))
        found = table.read(args, kwargs)
        body = _csv(found) if name == CSV else _workbook(found)
        sent = stream_with_context(_ended(body, ends))
        answer = Response(sent, content_type=content_type(name))
    except BaseException:
        ends.close()
        raise
    answer.call_on_close(ends.close)  # a body that nobody begins to read never ends
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(path, name)}"'
    return answer


def _ended(body: Iterator[bytes], ends: ExitStack) -> Iterator[bytes]:
    with ends:
        yield from body


def _csv(rows: Rows) -> Iterator[bytes]:
    try:
        yield from csv_parts(rows)
    except Exception:
        # The connection is cut, which HTTP/1.1 tells from an end. The line is for all others.
        log.exception("file_broke_off", path=request.path)
        yield csv_bytes([[BROKEN_OFF]])
        raise


def _workbook(rows: Rows) -> Iterator[bytes]:
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    try:
        write_workbook(target, rows, MOST_ROWS_AT_ONCE)
    except BaseException:
        target.close()
        raise
    return _parts(target)


def _parts(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        target.seek(0)
        yield from iter(lambda: target.read(_CHUNK), b"")
