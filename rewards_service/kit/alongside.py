"""One piece of work in a thread of its own, done again whenever somebody asks for it."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

log = structlog.get_logger()


class Alongside:
    """Runs `work` beside the caller: at once when asked, and once more if asked meanwhile.

    Leaving the context waits for what was asked. An error is logged; who asks again tries again.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name = name
        self._work = work
        self._asked = threading.Event()
        self._leaving = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._leaving = True
            self._asked.set()
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            leaving = self._leaving
            self._asked.clear()
            try:
                self._work()
            except Exception:
                log.exception("work_alongside_failed", work=self._name)
            if leaving:
                return
