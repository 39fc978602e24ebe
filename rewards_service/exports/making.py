"""Write an export's file: read its rows as its key would, keep it in pieces."""

import gc
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from flask import Flask, current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.accounts import auth
from rewards_service.exports import service, subjects
from rewards_service.exports.models import Export, ExportChunk
from rewards_service.kit.db import READ_ONLY, db, snapshot, transaction
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.files import CSV, csv_parts, write_workbook
from rewards_service.kit.sheets import MOST_ROWS
from rewards_service.kit.table_views import Rows
from rewards_service.kit.web import V1

PIECE = 1 << 20
MOST_BYTES = 4 << 30
KEEP_SECONDS = 5.0


class TooLarge(Unprocessable):
    code = "export_too_large"
    title = "This file would be too large."


class Maker:
    """Makes files as the application here would answer; in whatever thread it is used."""

    def __init__(self) -> None:
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self.engine = db.engine

    def make(self, export: Export) -> None:
        """Write the file of an export that was taken.

        Raises RewardsError, TakenOver among them.
        """
        pieces = _Pieces(self.engine, export)
        with self._rows(export) as rows:
            if export.format == CSV:
                for part in csv_parts(pieces.counted(rows)):
                    pieces.write(part)
            else:
                _write_workbook(pieces, rows)
        pieces.close()

    @contextmanager
    def _rows(self, export: Export) -> Iterator[Rows]:
        """The rows that the key would get if it asked now, all of one moment."""
        with (
            self._app.test_request_context(V1 + export.path),
            snapshot(self.engine) as session,
        ):
            subject = subjects.find(export.path)
            if subject is None:
                raise NotFound("There is no such list or report any more.")
            with Session(self.engine.execution_options(**{READ_ONLY: True})) as asking:
                auth.act_as(asking, export.key_id, subject.endpoint)
            subjects.check_filters(subject, export.filters)
            g.session = session
            yield subject.table.read_query(subject.table.load(export.filters), subject.ids)


def _write_workbook(pieces: "_Pieces", rows: Rows) -> None:
    with tempfile.TemporaryFile() as file:
        write_workbook(file, pieces.counted(rows), MOST_ROWS)
        file.seek(0)
        while part := file.read(PIECE):
            pieces.write(part)


class _Pieces:
    """Takes a file as it comes and keeps it in pieces, each in a transaction of its own."""

    def __init__(self, engine: Engine, export: Export) -> None:
        self._engine, self._export = engine, export
        self._buffer, self._digest = bytearray(), sha256()
        self._rows = self._size = self._number = 0
        self._kept_at = time.monotonic()

    def counted(self, rows: Rows) -> Rows:
        """The same rows, counted as they are read; the export is held meanwhile."""
        return Rows(rows.columns, self._count(rows))

    def _count(self, rows: Rows) -> Iterator[list[list[str | int | None]]]:
        for batch in rows.batches:
            self._rows += len(batch)
            if time.monotonic() - self._kept_at >= KEEP_SECONDS:
                with transaction(self._engine) as session:
                    self._keep(session)
            yield batch

    def write(self, part: bytes) -> None:
        """Raises TakenOver, TooLarge."""
        self._digest.update(part)
        self._size += len(part)
        if self._size > MOST_BYTES:
            raise TooLarge(f"A file has at most {MOST_BYTES >> 30} GiB: filter more.")
        self._buffer += part
        while len(self._buffer) >= PIECE:
            self._store(bytes(self._buffer[:PIECE]))
            del self._buffer[:PIECE]

    def _store(self, piece: bytes) -> None:
        content = zlib.compress(piece)
        with transaction(self._engine) as session:
            self._keep(session)  # first: it may belong to another process by now
            session.add(
                ExportChunk(export_id=self._export.id, number=self._number, content=content)
            )
        self._number += 1

    def _keep(self, session: Session) -> None:
        service.keep(session, self._export, self._rows)
        self._kept_at = time.monotonic()
        gc.collect()  # a worker looks for garbage so seldom that a long file would gather much

    def close(self) -> None:
        """The file is whole. Raises TakenOver."""
        if self._buffer:
            self._store(bytes(self._buffer))
        with transaction(self._engine) as session:
            service.finish(session, self._export, self._rows, self._size, self._digest.hexdigest())
