"""Read several lists of a site side by side, ahead of whoever keeps the pages.

A page is asked for by the offset that the page before named, so one list alone waits for each
answer; several use a budget that one cannot.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from queue import Empty, Full, Queue
from types import TracebackType
from typing import NamedTuple, Self

from rewards_service.chargebee.errors import ChargebeeError, KeyRefused, NotAllowed
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.paging import Page
from rewards_service.history.keeping import Listed
from rewards_service.history.kinds import LISTS, List
from rewards_service.kit.clock import utc_now

Connect = Callable[[], AbstractContextManager[Chargebee]]
AT_ONCE = 4
AHEAD = 16  # pages that lie ready at most
_WAIT_SECONDS = 0.2


class Failed(NamedTuple):
    """A list that could not be read on."""

    kind: str
    error: Exception


class Lists:
    """The lists that are not over, each from its offset on. Use as a context; see `ready`.

    connect: a connection of its own for each thread.
    """

    def __init__(
        self, connect: Connect, offsets: Mapping[str, str | None], at_once: int = AT_ONCE
    ) -> None:
        self._connect = connect
        self._open = deque(offsets.items())
        self._ready: Queue[Listed | Failed] = Queue(AHEAD)
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"backfill-{number}", daemon=True)
            for number in range(min(at_once, len(self._open)))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """After an error what was fetched is forgotten, and threads end by themselves."""
        self._stopping.set()
        self._abandoned.set()
        if kind is None:
            for thread in self._threads:
                thread.join()

    def stop(self) -> None:
        """Ask for no further page; those asked for are still to come."""
        self._stopping.set()

    def ready(self, most: int) -> Iterator[list[Listed | Failed]]:
        """Pages as they come, up to `most` at a time, until the last.

        An empty list when none came for a while: a chance to look around.
        """
        while True:
            alive = any(thread.is_alive() for thread in self._threads)
            found = list(self._take(most))
            if not found and not alive:
                return
            yield found

    def _take(self, most: int) -> Iterable[Listed | Failed]:
        try:
            yield self._ready.get(timeout=_WAIT_SECONDS)
            for _ in range(most - 1):
                yield self._ready.get_nowait()
        except Empty:
            return

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                kind, offset = self._open.popleft()
            except IndexError:
                return
            try:
                with self._connect() as site:
                    for page in self._pages(site, LISTS[kind], offset):
                        self._put(page)
                        if self._stopping.is_set():
                            break
            except Exception as error:
                self._put(Failed(kind, error))
                return

    def _pages(self, site: Chargebee, wanted: List, offset: str | None) -> Iterator[Listed]:
        listed_at = utc_now()
        for page in _from(site, wanted, offset):
            yield Listed(wanted.kind, page.rows, listed_at, page.next_offset)
            listed_at = utc_now()

    def _put(self, item: Listed | Failed) -> None:
        while not self._abandoned.is_set():
            try:
                self._ready.put(item, timeout=_WAIT_SECONDS)
            except Full:  # whoever keeps the pages is slower than Chargebee
                continue
            return


def _from(site: Chargebee, wanted: List, offset: str | None) -> Iterator[Page]:
    """The pages from an offset on; all of them when Chargebee knows the offset no more."""
    collection = getattr(site, wanted.path)
    try:
        yield from collection.pages(include_deleted=True, offset=offset)
    except ChargebeeError as error:
        if offset is not None and error.parameter == "offset":
            yield from collection.pages(include_deleted=True)
        elif offset is None and _has_no_such_list(wanted, error):
            yield Page([], None)
        else:
            raise


def _has_no_such_list(wanted: List, error: ChargebeeError) -> bool:
    known = isinstance(error, KeyRefused | NotAllowed) or error.passes
    return wanted.may_be_refused and not known
