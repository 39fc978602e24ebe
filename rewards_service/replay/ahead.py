"""Read what events say in a process of its own, while those before them are handled."""

from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

from sqlalchemy import URL, Engine, NullPool, create_engine, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import Reading
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.bulk import among, fetch_binary
from rewards_service.kit.db import columns
from rewards_service.webhooks.processing import read_body

# Below, events are read where they are handled: a process takes a second to begin.
WORTH_A_PROCESS = 900
_BODY = columns(ReceivedEvent, "id", "event_type", "body")

Readings = Future[Mapping[int, Reading]]


class Ahead:
    """Reads batches of events beside the caller. On SQLite, whose file is no server's, it does not.

    The process starts afresh and with the first large batch: one that is forked would have half of
    our threads and connections.
    """

    def __init__(self, engine: Engine, worth_it: int = WORTH_A_PROCESS) -> None:
        self._url = engine.url
        self._worth_it = worth_it
        self._is_server = engine.dialect.name == "postgresql"
        self._process: ProcessPoolExecutor | None = None

    def read(self, keys: Sequence[int]) -> Readings:
        """Begin to read these; the result is by key. What is missing in it is not read yet."""
        if len(keys) >= self._worth_it and self._is_server:
            if self._process is None:
                self._process = ProcessPoolExecutor(1, get_context("spawn"), _begin, (self._url,))
            # A process that was killed is no loss: the rest is read where it is handled.
            with suppress(BrokenExecutor):
                return self._process.submit(_read, keys)
        nothing: Readings = Future()
        nothing.set_result({})
        return nothing

    def close(self) -> None:
        if self._process is not None:
            self._process.shutdown(cancel_futures=True)


def _begin(url: URL) -> None:
    global _engine  # noqa: PLW0603 - of the reading process, whose functions take plain values
    _engine = create_engine(url, poolclass=NullPool)


def _read(keys: Sequence[int]) -> Mapping[int, Reading]:
    with Session(_engine) as session:
        rows = fetch_binary(session, select(*_BODY).where(among(session, _BODY[0], keys)))
    return {row.id: read_body(row) for row in rows}


_engine: Engine
