"""A wish to stop that a signal handler may set and a loop may wait for."""

import contextlib
import os
import select
import signal
import time
from types import FrameType


class Stop:
    """Set once, by SIGTERM, SIGINT or another thread; every later `wait` returns at once.

    A threading.Event will not do: its `set` takes a lock which the interrupted main thread may
    hold, and then the process hangs instead of stopping.
    """

    def __init__(self) -> None:
        self.requested = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def request(self) -> None:
        self.requested = True
        # A full pipe has its byte already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b".")

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`, no longer than until the wish; True when it was made."""
        deadline = time.monotonic() + seconds
        ready = select.poll()  # unlike select(), whatever the number of the descriptor
        ready.register(self._reader, select.POLLIN)
        while not self.requested:
            left = deadline - time.monotonic()
            if left <= 0 or not ready.poll(left * 1000):
                break
            # Every signal leaves a byte; those of other signals must not keep the pipe readable.
            with contextlib.suppress(BlockingIOError):
                os.read(self._reader, 4096)
        return self.requested

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT make the wish; main thread only.

        Both may come, and more than once (a terminal signals the whole group, then the supervisor
        does): repeats change nothing.
        """
        # The byte comes from the C handler: Python's own may run only after the wait it should end.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
