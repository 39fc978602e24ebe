"""A TCP proxy that hurts: slow, reset, silent, cut off, or pointing elsewhere."""

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

CHUNK = 65_536
TICK_SECONDS = 0.05
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no time: a close sends RST
Address = tuple[str, int] | str  # a string is the path of a Unix socket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FaultProxy:
    """Listens on a loopback port of its own and relays to `target`, as its faults allow.

    latency: seconds that every chunk is late, each way.
    silent: accepts and reads, but nothing goes on in either direction (a half-open network).
    truncate: so many bytes of an answer get through, then its connection ends.
    """

    def __init__(self, target: Address) -> None:
        self.target = target
        self.latency = 0.0
        self.silent = False
        self.truncate: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TICK_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._thread.join()
        self._listener.close()
        self.reset()

    def heal(self) -> None:
        """No faults for new connections; those that were silent are reset, as after a time-out."""
        was_silent, self.silent = self.silent, False
        self.latency, self.truncate = 0.0, None
        if was_silent:
            self.reset()

    def reset(self) -> None:
        """Reset (RST) every connection that is open."""
        with self._lock:
            for link in self._open:
                with suppress(OSError):
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                    link.close()
            self._open.clear()

    def _accept(self) -> None:
        while not self._closing:
            try:
                caller, _ = self._listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._relay, args=(caller,), daemon=True).start()

    def _relay(self, caller: socket.socket) -> None:
        server: socket.socket | None = None
        with self._lock:
            self._open.add(caller)
        try:
            if not self.silent:
                server = _connect(self.target)
                with self._lock:
                    self._open.add(server)
            self._pump(caller, server)
        except (OSError, ValueError):  # ValueError: it was closed under our hands
            pass
        finally:
            for link in (caller, server):
                if link is not None:
                    self._forget(link)

    def _forget(self, link: socket.socket) -> None:
        with self._lock:
            self._open.discard(link)
        with suppress(OSError):
            link.close()

    def _pump(self, caller: socket.socket, server: socket.socket | None) -> None:
        """Relay until one side ends; ValueError when both were closed under our hands."""
        passed = 0
        while not self._closing:
            if self.silent or server is None:
                time.sleep(TICK_SECONDS)  # what is sent stays in the kernel, unanswered
                select.select([caller], [], [], 0)
                continue
            ready, _, _ = select.select([caller, server], [], [], TICK_SECONDS)
            for link in ready:
                data = link.recv(CHUNK)
                time.sleep(self.latency)
                if link is server:
                    data = self._shortened(data, passed)
                    passed += len(data)
                if not data:
                    return
                (server if link is caller else caller).sendall(data)

    def _shortened(self, data: bytes, passed: int) -> bytes:
        return data if self.truncate is None else data[: max(self.truncate - passed, 0)]


def _connect(target: Address) -> socket.socket:
    if isinstance(target, str):
        link = socket.socket(socket.AF_UNIX)
        link.connect(target)
        return link
    link = socket.create_connection(target, timeout=5)
    link.settimeout(None)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link
