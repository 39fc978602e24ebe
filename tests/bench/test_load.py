"""The load clients of the benchmarks count what was answered, and wait as a caller does."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench import load
from bench.bodies import Get


class Answering(BaseHTTPRequestHandler):
    """/whole and /chunked answer 100 kB, /stalls the first request late, anything else 503."""

    protocol_version = "HTTP/1.1"
    stalled = threading.Lock()

    def do_GET(self) -> None:
        if self.path == "/stalls" and Answering.stalled.acquire(blocking=False):
            threading.Event().wait(0.3)
        known = self.path in ("/whole", "/chunked", "/stalls")
        self.send_response(200 if known else 503)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"186a0\r\n" + b"x" * 100_000 + b"\r\n0\r\n\r\n")
        else:
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 100_000)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class TestClosed:
    @pytest.mark.parametrize("path", ["/whole", "/chunked"])
    def test_every_answer_is_read_to_its_end(self, port: int, path: str) -> None:
        done = load.closed(port, Get(path), 60, 4, most=21)

        assert done.requests == len(done.waits) == 21
        assert 0 < done.ms(50) <= done.ms(100)

    def test_a_refusal_ends_the_measurement(self, port: int) -> None:
        with pytest.raises(RuntimeError, match="503"):
            load.closed(port, Get("/other"), 60, 1, most=1)


class TestOpenLoop:
    def test_a_server_that_stalls_holds_up_its_caller_alone(self, port: int) -> None:
        done = load.open_loop(port, Get("/stalls"), 50, 0.5)

        assert done.requests == len(done.waits) > 5
        assert done.ms(100) >= 300  # the one that met the stall
