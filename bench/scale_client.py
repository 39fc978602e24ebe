"""A caller on one kept connection, and a meter of a process's memory."""

import http.client
import json
import threading
from typing import Any, NamedTuple

import psutil

PORT = 8971
PREFIX = "/api/v1"


class Memory(NamedTuple):
    """A file of rewards: rows, bytes, seconds; the process's memory in MiB."""

    what: str
    rows: int
    size: int
    seconds: float
    before: float
    at_tenth: float
    peak: float


class Client:
    """One kept connection with a key."""

    def __init__(self, key: str, port: int = PORT) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3_600)

    def open(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> http.client.HTTPResponse:
        sent = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if sent else {}
        self._connection.request(method, PREFIX + path, sent, {**self._headers, **kind, **headers})
        return self._connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.open(method, path, body)
        content = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {content.decode()}")
        return json.loads(content)


class Meter:
    """Memory of a process and its children: that of the largest, over time."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._stop = process, threading.Event()
        self.samples = [self._look()]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _look(self) -> float:
        family = [self._process, *self._process.children(recursive=True)]
        return max(one.memory_info().rss for one in family) / 2**20

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            self.samples.append(self._look())

    def end(self, what: str, rows: int, size: int, seconds: float) -> Memory:
        self._stop.set()
        self._thread.join()
        tenth = max(self.samples[: max(len(self.samples) // 10, 1)])
        return Memory(what, rows, size, seconds, self.samples[0], tenth, max(self.samples))
