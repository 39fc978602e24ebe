"""One deadline over a whole HTTP exchange, however slowly the other side drips its bytes.

The timeouts of `requests` hold for one read each: a server that sends a byte now and then keeps
its caller for ever. Here every read, of headers and chunks too, has only what is left of the call.
"""

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

SecondsLeft = Callable[[], float]

_seconds_left: ContextVar[SecondsLeft | None] = ContextVar("seconds_left", default=None)


@contextmanager
def within(seconds_left: SecondsLeft) -> Iterator[None]:
    """Answers that begin inside are read until `seconds_left()` says 0, then TimeoutError."""
    token = _seconds_left.set(seconds_left)
    try:
        yield
    finally:
        _seconds_left.reset(token)


class _Reader(io.RawIOBase):
    """A socket's bytes; each read waits no longer than the deadline and the read timeout allow."""

    def __init__(self, sock: socket.socket, seconds_left: SecondsLeft) -> None:
        super().__init__()
        self._socket = sock
        self._longest = sock.gettimeout()
        # The socket counts its files: it must know of this one, to stay open while it is read.
        self._raw = sock.makefile("rb", buffering=0)
        self._seconds_left = seconds_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._seconds_left()
        if left <= 0:
            raise TimeoutError("The deadline of the call has passed.")
        self._socket.settimeout(left if self._longest is None else min(left, self._longest))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class _Files:
    """As much of a socket as an HTTP response asks for."""

    def __init__(self, sock: socket.socket, seconds_left: SecondsLeft) -> None:
        self._socket = sock
        self._seconds_left = seconds_left

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._seconds_left))


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        seconds_left = _seconds_left.get()
        source: Any = sock if seconds_left is None else _Files(sock, seconds_left)
        super().__init__(source, *args, **kwargs)


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """The connections of a session, all of them under the deadline of `within`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        found = super().proxy_manager_for(proxy, **kwargs)
        found.pool_classes_by_scheme = POOLS
        return found
