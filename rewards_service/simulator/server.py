"""The simulator as a process or a thread: HTTP in, webhooks out, until it is closed."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from rewards_service.simulator.api import KEY, Simulator
from rewards_service.simulator.runner import Runner
from rewards_service.simulator.saving import loaded
from rewards_service.simulator.sender import HttpSender
from rewards_service.simulator.site import Site
from rewards_service.simulator.web import create_app

LOOPBACK = "127.0.0.1"
PUMP_S = 0.1
POLL_S = 0.05  # how soon a stop is noticed


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as Chargebee keeps them

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class SimulatorServer:
    """A simulator that listens on loopback. Use as a context: it is up inside, gone after.

    port: 0 for a free one. speed: seconds of the site for each real second, 0 stands still.
    pumping: webhooks go out by themselves; otherwise only when `runner.pump` is called.
    state: a file to go on from, if it is there, and to write at the end. clock: seconds that only
    grow, for `speed` and for the rate limit.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen
        self,
        *,
        seed: int = 1,
        port: int = 0,
        start_ms: int | None = None,
        speed: float = 0.0,
        key: str = KEY,
        any_port: bool = True,
        pumping: bool = True,
        state: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        site = self._site(seed, start_ms)
        self._sender = HttpSender()
        simulator = Simulator(site, clock, key, any_port)
        self.runner = Runner(simulator, self._sender, clock, speed)
        self._pumping = pumping
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: BaseWSGIServer = make_server(
            LOOPBACK, port, create_app(self.runner), threaded=True, request_handler=_Quiet
        )
        self.port = self._server.server_port

    def _site(self, seed: int, start_ms: int | None) -> Site:
        if self._state is not None and self._state.exists():
            return loaded(self._state.read_bytes())
        return Site(seed) if start_ms is None else Site(seed, start_ms)

    @property
    def site(self) -> Site:
        return self.runner.simulator.site

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def __enter__(self) -> "SimulatorServer":
        self._start(lambda: self._server.serve_forever(POLL_S))
        if self._pumping:
            self._start(self._pump)
        return self

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _pump(self) -> None:
        while not self._stop.wait(PUMP_S):
            self.runner.pump()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self._sender.close()
        self.save()

    def save(self) -> None:
        """Write the state file, if there is to be one."""
        if self._state is None:
            return
        fresh = self._state.with_suffix(".new")
        fresh.touch(mode=0o600)  # it holds the webhook's password
        fresh.write_bytes(self.runner.state())
        fresh.replace(self._state)
