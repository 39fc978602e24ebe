"""The worker process: answers doorbells, and sweeps the database whether or not Redis is there.

Jobs run in this process: a fork and an import per job would cost a hundred times the job itself.
"""

import gc
import logging
import os
import pkgutil
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress

from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from rewards_service.kit.listener import Drain, Listener
from rewards_service.kit.queue import DOORBELLS, JOB_TIMEOUT_SECONDS, connect, eviction_problem
from rewards_service.kit.stop import Stop

logger = logging.getLogger(__name__)

Scope = Callable[[], AbstractContextManager[object]]

LISTEN_SECONDS = 1.0  # the longest wait for a ring, hence for SIGTERM to be seen
RECONNECT_SECONDS = 1.0
SOCKET_TIMEOUT_SECONDS = 2.0  # above LISTEN_SECONDS: silence within it is not a dead server
SWEEP_SECONDS = 5.0
SWEEP_WITHOUT_REDIS_SECONDS = 2.0
MAX_JOBS = 5_000

EXIT_OK = 0
EXIT_REFUSED = 2


class Worker:
    """One worker process; any number may run at once, also on several machines.

    It answers rings at once and, every few seconds, drains whatever is due in the database. While
    Redis is away it only sweeps, more often.

    redis_url: where the doorbells ring.
    scope: entered around each drain, such as `app.app_context`.
    doorbells: queue -> dotted name of its drain, the only functions that jobs may name. A drain
      takes nothing, returns the rows it handled, and is safe in several processes at once.
    max_jobs: after so many productive jobs or sweeps it ends, for the supervisor to start afresh.
    """

    def __init__(
        self,
        redis_url: str,
        scope: Scope,
        doorbells: Mapping[str, str] = DOORBELLS,
        max_jobs: int = MAX_JOBS,
        stop: Stop | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._drains = {
            queue: _within(scope, pkgutil.resolve_name(name)) for queue, name in doorbells.items()
        }
        by_name = {doorbells[queue]: drain for queue, drain in self._drains.items()}
        self._connection = connect(redis_url, SOCKET_TIMEOUT_SECONDS)
        self._listener = Listener(self._connection, self.name, list(doorbells), by_name)
        self._stop = stop or Stop()
        self._max_jobs = max_jobs
        self._jobs = 0
        self._connected = False
        self._redis_away = False
        self._connect_at = self._sweep_at = 0.0
        self._failing: set[str] = set()

    def run(self) -> int:
        """Work until a stop is asked for or the process is due for recycling; the exit code."""
        self._stop.on_signals()
        with suppress(RedisError):  # an absent Redis is no reason not to sweep
            problem = eviction_problem(self._connection)
            if problem is not None:
                logger.error("The worker does not start. %s", problem)
                return EXIT_REFUSED
        spare_the_collector()
        logger.info("Worker %s started", self.name)
        while not self._stop.requested and self._jobs < self._max_jobs:
            self._listen()
            if not self._stop.requested and time.monotonic() >= self._sweep_at:
                self._sweep()
        with suppress(RedisError):
            self._listener.leave()
        logger.info("Worker %s ended after %d jobs", self.name, self._jobs)
        return EXIT_OK

    def _listen(self) -> None:
        wait = min(max(self._sweep_at - time.monotonic(), 0.0), LISTEN_SECONDS)
        if not self._connected and time.monotonic() < self._connect_at:
            self._stop.wait(wait)
            return
        try:
            if not self._connected:
                self._announce()
            self._jobs += self._listener.answer(wait)
        except RedisError as error:
            self._lose(error)
        else:
            self._find()

    def _announce(self) -> None:
        self._listener.announce()
        self._listener.tidy()

    def _find(self) -> None:
        self._connected = True
        if self._redis_away:
            self._redis_away = False
            logger.info("Redis is back")

    def _lose(self, error: RedisError) -> None:
        self._connected = False
        self._connect_at = time.monotonic() + RECONNECT_SECONDS
        if not self._redis_away:
            self._redis_away = True
            self._sweep_at = 0.0  # a ring may have gone down with it
            logger.warning("Redis is away (%s); sweeping the database meanwhile", error)

    def _sweep(self) -> None:
        handled = 0
        for queue, drain in self._drains.items():
            if self._stop.requested:
                return
            self._beat()
            handled += self._drain(queue, drain)
        pause = SWEEP_SECONDS if self._connected else SWEEP_WITHOUT_REDIS_SECONDS
        # A drain ends after some seconds, done or not: whoever found work looks again at once.
        self._sweep_at = time.monotonic() + (0 if handled else pause)
        self._jobs += handled > 0

    def _drain(self, queue: str, drain: Drain) -> int:
        try:
            with _time_limit():
                handled = drain()
        except Exception:
            # The rows stay pending. One line per outage, not one every few seconds.
            if queue not in self._failing:
                self._failing.add(queue)
                logger.exception("The sweep of %s failed; it is tried again", queue)
            return 0
        if queue in self._failing:
            self._failing.discard(queue)
            logger.info("The sweep of %s works again", queue)
        return handled

    def _beat(self) -> None:
        if self._connected:
            try:
                self._announce()
            except RedisError as error:
                self._lose(error)


def spare_the_collector() -> None:
    """What is loaded stays, and a batch makes many small rows: look for garbage less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _time_limit() -> AbstractContextManager[None]:
    limit: AbstractContextManager[None] = UnixSignalDeathPenalty(  # type: ignore[no-untyped-call]
        JOB_TIMEOUT_SECONDS, JobTimeoutException
    )
    return limit


def _within(scope: Scope, drain: Drain) -> Drain:
    def run() -> int:
        with scope():
            return drain()

    return run
