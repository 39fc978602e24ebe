"""Keeps a handful of processes running, and ends every one of them when asked to stop."""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from rewards_service.embedded.parent import die_with_parent

logger = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A process that ran this long had a start that worked: its next pause is the first one again.
SETTLED_SECONDS = 60.0
GRACE_SECONDS = 12.0
TICK_SECONDS = 0.25


@dataclass(slots=True)
class Child:
    """One process to keep running; `restart_at` is set while it pauses after its end."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS


class Supervisor:
    """Runs `children`, each in a process group of its own, with `environ` as their environment.

    A child that ends is started again: after half a second when its exit status was 0, otherwise
    after a pause that doubles from 0.5 s to 30 s. On SIGINT, SIGTERM or SIGHUP all get SIGTERM,
    after 12 s SIGKILL.
    """

    def __init__(self, children: Sequence[Child], environ: Mapping[str, str]) -> None:
        self._children = children
        self._environ = environ
        self._stopping = False

    def run(self, on_tick: Callable[[], None]) -> None:
        """Start everything and watch it until a stop signal; `on_tick` runs between the looks.

        Whatever ends this method, an error of `on_tick` as well, no child is left behind.
        """
        with _wake_up_socket() as wake_up, self._stop_signals():
            try:
                while not self._stopping:
                    self._look_after_children()
                    on_tick()
                    _wait(wake_up)
            finally:
                self._stop_children()

    @contextmanager
    def _stop_signals(self) -> Iterator[None]:
        def ask_to_stop(_number: int, _frame: object) -> None:
            self._stopping = True

        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to stay
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, ask_to_stop) for number in numbers}
        # Without a handler SIGCHLD is dropped and would not wake the loop.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _look_after_children(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now >= child.restart_at:
                    self._start(child, now)
            elif child.process.poll() is not None:
                _plan_restart(child, now)

    def _start(self, child: Child, now: float) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
            child.arguments,
            stdin=subprocess.DEVNULL,
            env=self._environ,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - we start no threads
        )
        child.started_at = now

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in running:
            # The group may hold grandchildren whose parent is gone.
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _plan_restart(child: Child, now: float) -> None:
    if child.process is None:
        return
    status = child.process.returncode
    _signal_group(child.process, signal.SIGKILL)
    child.process = None
    if status == 0 or now - child.started_at >= SETTLED_SECONDS:
        child.pause = FIRST_PAUSE_SECONDS
    child.restart_at = now + child.pause
    level = logging.INFO if status == 0 else logging.WARNING
    logger.log(level, "A process ended", name=child.name, status=status, pause_s=child.pause)
    child.pause = min(child.pause * 2, LONGEST_PAUSE_SECONDS)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@contextmanager
def _wake_up_socket() -> Iterator[socket.socket]:
    """A socket that becomes readable on every signal, so that waiting ends at once."""
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        reading.settimeout(TICK_SECONDS)
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(before)


def _wait(wake_up: socket.socket) -> None:
    with suppress(TimeoutError):
        wake_up.recv(4096)
