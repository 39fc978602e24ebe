"""A server that does everything wrong, by script: one behaviour for each request it gets."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit


class Seen(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]  # names in lower case
    form: list[tuple[str, str]]
    body: str


Behaviour = Callable[[socket.socket, threading.Event], bool]  # False: the connection is closed


def answer(status: int, body: object = None, **headers: str) -> Behaviour:
    """A proper answer of JSON, or of a text or bytes as they are."""
    text = body if isinstance(body, str | bytes) else json.dumps({} if body is None else body)
    content = text.encode() if isinstance(text, str) else text
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def behave(connection: socket.socket, _over: threading.Event) -> bool:
        connection.sendall(_head(status, {"Content-Length": str(len(content)), **named}) + content)
        return True

    return behave


def silence(connection: socket.socket, over: threading.Event) -> bool:
    """No answer at all, on an open connection."""
    over.wait(30)
    return False


def hang_up(connection: socket.socket, _over: threading.Event) -> bool:
    return False


def cut_off(connection: socket.socket, _over: threading.Event) -> bool:
    """Half of a body."""
    connection.sendall(_head(200, {"Content-Length": "1000"}) + b'{"list": [')
    return False


def cut_off_chunk(connection: socket.socket, _over: threading.Event) -> bool:
    connection.sendall(_head(200, {"Transfer-Encoding": "chunked"}) + b"ff\r\nhalf a chunk")
    return False


def until_closed(connection: socket.socket, _over: threading.Event) -> bool:
    """A body that ends with the connection, as HTTP/1.0 has it."""
    connection.sendall(_head(200, {"Connection": "close"}) + b'{"ok": true}')
    return False


def noise(connection: socket.socket, _over: threading.Event) -> bool:
    """Nothing of HTTP."""
    connection.sendall(bytes(range(256)) * 8)
    return False


def broken_gzip(connection: socket.socket, _over: threading.Event) -> bool:
    headers = {"Content-Length": "8", "Content-Encoding": "gzip"}
    connection.sendall(_head(200, headers) + b"not gzip")
    return True


def bomb(unpacked: int) -> Behaviour:
    """A small body that unpacks to `unpacked` bytes."""
    packed = gzip.compress(bytes(unpacked))
    return answer(200, packed, Content_Encoding="gzip")


def endless(before: bytes, drop: bytes) -> Behaviour:
    """`before`, then `drop` again and again, until the other side has enough."""

    def behave(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(before)
        while not over.is_set():
            connection.sendall(drop)
        return False

    return behave


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {v}" for name, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


ENDLESS_HEADERS = endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
ENDLESS_HEADER = endless(b"HTTP/1.1 200 OK\r\nX: ", b"y")
ENDLESS_CONTINUE = endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
ENDLESS_CHUNKS = endless(_head(200, {"Transfer-Encoding": "chunked"}), b"1\r\nx\r\n")
ENDLESS_BODY = endless(_head(200, {"Content-Length": str(10**15)}), b"x" * 10)


class Misbehaving:
    """Listens on loopback; the last behaviour holds for all requests that follow."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = list(behaviours)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._greet, args=[connection], daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        if self._tls is None:
            self._serve(connection)
            return
        try:
            self._serve(self._tls.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()  # the client does not trust us

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            try:
                while (seen := _read(lines)) is not None:
                    with self._lock:
                        turn = min(len(self.seen), len(self._behaviours) - 1)
                        self.seen.append(seen)
                    if not self._behaviours[turn](connection, self._over):
                        return
            except OSError:
                return  # the client has had enough


def _read(lines: BinaryIO) -> Seen | None:
    first = lines.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ")
    headers = {}
    while line := lines.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    body = lines.read(int(headers.get("content-length", "0"))).decode()
    parts = urlsplit(target)
    form = parse_qsl(body, keep_blank_values=True)
    return Seen(method, parts.path, parse_qsl(parts.query, True), headers, form, body)
