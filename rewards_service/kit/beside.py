"""Slow work in a thread of its own, one at a time, that its caller does not wait for."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Beside:
    """Starts a piece of work unless it is at it already. An error is logged: who asks next tries.

    The thread dies with its process, wherever it is: the work must be safe to kill.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._running = threading.Lock()

    def start(self, work: Callable[[], object]) -> bool:
        """Begin `work`, or leave it when some is under way; says which."""
        if not self._running.acquire(blocking=False):
            return False
        thread = threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is going down
            self._running.release()
            log.warning("no_thread_left", work=self._name)
            return False
        return True

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            log.exception("work_beside_failed", work=self._name)
        finally:
            self._running.release()
