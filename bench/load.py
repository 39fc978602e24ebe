"""Load over HTTP from a process of its own: keep-alive connections, answers read to the end.

Closed: each connection sends its next request when it has its answer; that finds the capacity.
Open: requests are due at random moments, whether or not the answers came; latency counts from when
a request was due, so a server that stalls cannot hide it.
"""

import json
import multiprocessing
import random
import selectors
import signal
import socket
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.bodies import Source

SAMPLE = Path(__file__).parent.parent / "tests/payloads/chargebee/events"
MARK = b"EVENT-ID-PLACEHOLDER"
PATIENCE = 60.0  # seconds that an answer may take


def sample_body() -> bytes:
    """A real-sized payment (4.1 kB, no card data) whose event id is to be filled in."""
    payment = json.loads((SAMPLE / "made_pc2_payment_succeeded_card_excluded.json").read_bytes())
    payment["id"] = MARK.decode()
    return json.dumps(payment, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Same:
    """One payment under new event ids, or with no tag one address that is asked for."""

    path: str
    headers: str
    tag: str

    def request(self, number: int) -> bytes:
        if not self.tag:
            return f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n{self.headers}\r\n".encode()
        before, after = self._around
        body = before + f"ev_{self.tag}_{number}".ljust(40, "x").encode() + after
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\n{self.headers}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    @cached_property
    def _around(self) -> tuple[bytes, bytes]:
        before, _, after = sample_body().partition(MARK)
        return before, after

    def distinct(self, requests: int) -> int:
        return requests


@dataclass
class Done:
    """A load that is over: requests (each answered 2xx), seconds, client's CPU, sorted waits.

    waits: seconds from when each request was sent (closed) or due (open) until it was answered.
    """

    requests: int
    seconds: float
    cpu_seconds: float
    waits: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def ms(self, percentile: float) -> float:
        """The wait that so many per cent of the requests do not exceed, in milliseconds."""
        at = min(int(len(self.waits) * percentile / 100), len(self.waits) - 1)
        return self.waits[at] * 1_000


def run(port: int, path: str, headers: str, seconds: float, connections: int, tag: str) -> int:
    """Post one payment under new ids for some seconds; how many were answered."""
    return closed(port, Same(path, headers, tag), seconds, connections).requests


def get(port: int, path: str, headers: str, seconds: float, connections: int) -> int:
    """As `run`, asking for one address again and again."""
    return run(port, path, headers, seconds, connections, "")


def closed(
    port: int, source: "Source", seconds: float, connections: int, most: int | None = None
) -> Done:
    """Send for some seconds, or `most` requests if these are fewer, over so many connections."""
    return _apart(_closed, port, source, seconds, connections, most)


def open_loop(port: int, source: "Source", rate: float, seconds: float) -> Done:
    """Send at random moments, on average `rate` a second; as many connections as that takes."""
    return _apart(_open, port, source, rate, seconds)


def _apart(work: object, *arguments: object) -> Done:
    # The pool ends its process by SIGTERM, which the one that it comes from may have caught.
    with multiprocessing.Pool(1, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
        done: Done = pool.apply(work, arguments)  # type: ignore[arg-type]
    return done


class _Link:
    """One kept connection with at most one request on its way."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector, self._answer, self.since = selector, b"", 0.0
        selector.register(self._socket, selectors.EVENT_READ, self)

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self._socket.sendall(request)

    def is_answered(self) -> bool:
        """Take in what came; whether the answer is whole. Raises RuntimeError unless it is 2xx."""
        came = self._socket.recv(1 << 18)
        answer = self._answer = self._answer + came if self._answer else came
        if not came:
            raise RuntimeError("The connection was closed in the middle of a request.")
        head, end, rest = answer.partition(b"\r\n\r\n")
        if not end or not _is_whole(head.lower(), rest):
            return False
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"An answer that is no success: {answer[:2_000]!r}")
        self._answer = b""
        return True

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()


def _is_whole(head: bytes, rest: bytes) -> bool:
    _, found, length = head.partition(b"content-length:")
    if found:
        return len(rest) >= int(length.split(b"\r\n", 1)[0])
    return b"chunked" not in head or rest.endswith(b"0\r\n\r\n")


def _closed(
    port: int, source: "Source", seconds: float, connections: int, most: int | None
) -> Done:
    waits: list[float] = []
    number = 0
    with selectors.DefaultSelector() as selector:
        start, cpu = time.perf_counter(), time.process_time()
        until = start + seconds
        links = [_Link(port, selector) for _ in range(connections)]
        for link in links:
            link.send(source.request(number), time.perf_counter())
            number += 1
        while len(waits) < number:
            for link in _ready(selector):
                if not link.is_answered():
                    continue
                now = time.perf_counter()
                waits.append(now - link.since)
                if now < until and (most is None or number < most):
                    link.send(source.request(number), now)
                    number += 1
        took = time.perf_counter() - start
    return Done(number, took, time.process_time() - cpu, sorted(waits))


def _open(port: int, source: "Source", rate: float, seconds: float) -> Done:
    arrivals = random.Random(7)  # noqa: S311 - moments, not secrets
    waits: list[float] = []
    number, idle = 0, list[_Link]()
    with selectors.DefaultSelector() as selector:
        start, cpu = time.perf_counter(), time.process_time()
        due, until = start, start + seconds
        while due < until or len(waits) < number:
            while due < until and due <= time.perf_counter():
                link = idle.pop() if idle else _Link(port, selector)
                link.send(source.request(number), due)
                number += 1
                due += arrivals.expovariate(rate)
            pause = max(due - time.perf_counter(), 0.0) if due < until else PATIENCE
            for link in _ready(selector, pause):
                if link.is_answered():
                    waits.append(time.perf_counter() - link.since)
                    idle.append(link)
        took = time.perf_counter() - start
    return Done(number, took, time.process_time() - cpu, sorted(waits))


def _ready(selector: selectors.BaseSelector, seconds: float | None = None) -> list[_Link]:
    if seconds == 0.0 and not selector.get_map():
        return []
    found = selector.select(PATIENCE if seconds is None else seconds)
    if not found and (seconds is None or seconds >= PATIENCE):
        raise RuntimeError(f"Nothing was answered for {PATIENCE:.0f} s.")
    return [key.data for key, _ in found]
