"""The real processes of an installation: each may be killed, stopped, and is started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import RedisError

from chaos.proxy import free_port
from rewards_service.embedded.parent import die_with_parent
from rewards_service.embedded.redis_server import find_binary
from rewards_service.kit.queue import connect

ROOT = Path(__file__).resolve().parent.parent
TICK_SECONDS = 0.01


def until(condition: Callable[[], object], seconds: float, tend: Callable[[], None]) -> bool:
    """Ask again until `condition` holds, tending in between; False when it did not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        tend()
        time.sleep(TICK_SECONDS)
    return True


class Program:
    """One process to keep running, as a supervisor would: `tend` starts it again once it ended."""

    def __init__(self, name: str, arguments: Sequence[str], environ: Mapping[str, str], log: Path):
        self.name = name
        self.environ = dict(environ)
        self.starts = 0
        self._arguments = arguments
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = False

    @property
    def pid(self) -> int:
        return 0 if self._process is None else self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._wanted = True
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments, env={**os.environ, **self.environ}, cwd=ROOT, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, process_group=0,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - from the main thread
            )  # fmt: skip

    def tend(self) -> None:
        """Start it again if it ended by itself or was killed."""
        if self._wanted and not self.is_alive:
            self.clear_away()
            self.start()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.is_alive and self._process is not None:
            self._process.send_signal(number)
            if number == signal.SIGKILL:
                self._process.wait()

    def clear_away(self) -> None:
        """End what a killed process left behind in its group, such as gunicorn's workers."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM, grace: float = 15.0) -> None:
        """End it for good."""
        self._wanted = False
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
        self.clear_away()
        process.wait()

    def children(self) -> list[psutil.Process]:
        """Processes that it started, such as gunicorn's workers, that live."""
        try:
            found = psutil.Process(self.pid).children() if self.is_alive else []
        except psutil.Error:
            return []
        return [one for one in found if one.is_running()]


def python(*arguments: str) -> list[str]:
    """A program of the service, with its crash points armed if the environment asks for it."""
    return [sys.executable, "-m", "chaos.armed", *arguments]


class RedisProgram(Program):
    """A Redis-protocol server on a loopback port. Without `keep` it always comes back empty."""

    def __init__(self, folder: Path, keep: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        data = folder / f"redis-{self.port}"
        data.mkdir(exist_ok=True)
        self.folder = data
        command = [find_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--dir", str(data), "--appendonly", "yes" if keep else "no",
                   "--maxmemory-policy", "noeviction"]  # fmt: skip
        super().__init__("redis", command, {}, folder / "redis.log")

    def client(self, timeout: float = 2.0) -> Redis:
        return connect(self.url, timeout=timeout)

    def answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except RedisError:
            return False

    def start_and_wait(self) -> None:
        self.start()
        if not until(self.answers, 15, lambda: None):
            raise RuntimeError("The Redis-protocol server does not answer.")
