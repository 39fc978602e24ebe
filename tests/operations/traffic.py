"""Chargebee under way: events posted until each is acknowledged, and a log of what was answered."""

import json
import queue
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.builders.chargebee import Json

PATIENCE_S = 20.0  # as long as Chargebee waits for an answer
PAUSE_S = 0.05
ACKNOWLEDGED, RESET = "200", "kept connection closed"


class Made(NamedTuple):
    """The sandbox of an installation: where to post, and what opens the API."""

    path: str
    authorization: str
    partner_id: str
    key: str


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def path_of(address: str) -> str:
    return urlsplit(address).path


class Traffic:
    """Posts events to the addresses (host, port) in turn, on kept connections, each until it is
    acknowledged.

    acked: event id -> seconds that the accepted delivery took. answers: status or failure -> how
    often; slowest: the same -> the longest it took, in seconds. A kept connection that the server
    closed before it answered anything is the one failure that HTTP asks clients to expect: it
    counts as `RESET`.
    """

    def __init__(
        self, addresses: Sequence[tuple[str, int]], made: Made, events: Iterable[Json],
        threads: int = 4, per_second: float = 0.0, patience: float = PATIENCE_S,
    ) -> None:  # fmt: skip
        self._addresses = addresses
        self._made = made
        self._patience = patience
        self._events: queue.SimpleQueue[Json] = queue.SimpleQueue()
        for event in events:
            self._events.put(event)
        self._pause = threads / per_second if per_second else 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.acked: dict[str, float] = {}
        self.answers: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(threads)
        ]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._patience + 5)

    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def worst(self) -> float:
        return max(self.acked.values(), default=0.0)

    def failures(self) -> dict[str, int]:
        """What was answered beside acknowledgements and what HTTP lets a server close."""
        return {k: n for k, n in self.answers.items() if k not in (ACKNOWLEDGED, RESET)}

    def _run(self, number: int) -> None:
        turn = number
        link: HTTPConnection | None = None
        while not self._stop.is_set():
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                break
            while not self._stop.is_set():
                begun = time.monotonic()
                answer, link = self._post(link, turn, json.dumps(event).encode())
                with self._lock:
                    took = time.monotonic() - begun
                    self.answers[answer] += 1
                    self.slowest[answer] = max(took, self.slowest.get(answer, 0.0))
                    if answer == ACKNOWLEDGED:
                        self.acked[event["id"]] = took
                if answer == ACKNOWLEDGED:
                    break
                turn += 1
                self._stop.wait(PAUSE_S)
            self._stop.wait(max(0.0, self._pause))

    def _post(
        self, link: HTTPConnection | None, turn: int, body: bytes
    ) -> tuple[str, HTTPConnection | None]:
        """The status, or what went wrong, and the connection if it may be used again."""
        is_kept = link is not None
        if link is None:
            host, port = self._addresses[turn % len(self._addresses)]
            link = HTTPConnection(host, port, timeout=self._patience)
        headers = {"Authorization": self._made.authorization, "Content-Type": "application/json"}
        try:
            link.request("POST", self._made.path, body, headers)
            answer = link.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            link.close()
            closed = isinstance(error, ConnectionResetError | BrokenPipeError)
            return RESET if is_kept and closed else type(error).__name__, None
        if answer.status != 200 or answer.will_close:
            link.close()
            return str(answer.status), None
        return str(answer.status), link
