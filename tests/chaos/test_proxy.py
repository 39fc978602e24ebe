"""The proxy does to a connection what it is told to."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from chaos.proxy import FaultProxy

HELLO = b"hello from the other side"


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """In front of a server that answers whatever it gets with a greeting."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_greet, args=(link,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with FaultProxy(("127.0.0.1", server.getsockname()[1])) as made:
        yield made
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def _greet(link: socket.socket) -> None:
    with link, suppress(ConnectionError):
        while link.recv(100):
            link.sendall(HELLO)


def call(proxy: FaultProxy, timeout: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=timeout) as link:
        link.sendall(b"hello")
        return link.recv(100)


def is_over(link: socket.socket) -> bool:
    """Whether the other side has closed or reset it."""
    try:
        return link.recv(100) == b""
    except ConnectionResetError:
        return True


class TestFaultProxy:
    def test_without_a_fault_it_relays(self, proxy: FaultProxy) -> None:
        assert call(proxy) == HELLO

    def test_it_is_late(self, proxy: FaultProxy) -> None:
        proxy.latency = 0.1
        begun = time.monotonic()

        assert call(proxy) == HELLO
        assert time.monotonic() - begun >= 0.2

    def test_it_is_silent_until_it_is_healed(self, proxy: FaultProxy) -> None:
        proxy.silent = True
        with pytest.raises(TimeoutError):
            call(proxy, timeout=0.2)
        proxy.heal()
        assert call(proxy) == HELLO

    def test_it_resets_what_is_open(self, proxy: FaultProxy) -> None:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as link:
            link.sendall(b"hello")
            assert link.recv(100) == HELLO
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                link.recv(100)

    def test_it_cuts_an_answer_short(self, proxy: FaultProxy) -> None:
        proxy.truncate = 5
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as link:
            link.sendall(b"hello")
            assert link.recv(100) == HELLO[:5]
            link.sendall(b"again")
            assert is_over(link)

    def test_it_may_point_elsewhere(self, proxy: FaultProxy) -> None:
        proxy.target = "/there/is/no/such/socket"
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as link:
            assert is_over(link)
