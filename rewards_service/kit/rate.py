"""A rate of calls that all processes share through Redis, with a share of it when Redis is away."""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from redis import Redis

from rewards_service.kit import pacing
from rewards_service.kit.circuit import Circuit
from rewards_service.kit.http_errors import RateSpent
from rewards_service.kit.pacing import Place

# Without Redis processes know nothing of each other: up to so many at once stay below the limit.
LOCAL_SHARE = 4
BREAKER_SECONDS = 5.0
# What the other side asks for is kept to, but a mistake in its clock must not stop us for a day.
LONGEST_PAUSE_SECONDS = 300.0
_FORGET_MS = 900_000
_US = 1_000_000

# `pacing.reserve` and `pacing.pause` on the server's own clock: the clocks of machines differ.
# Numbers are doubles there, exact to 2^53 us; "%.0f" keeps tostring from rounding them.
_RESERVE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local start = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - tonumber(ARGV[2]))
local wait = math.max(start - now, 0)
if wait > tonumber(ARGV[3]) then return {0, wait, now} end
redis.call('SET', KEYS[1], string.format('%.0f', start + tonumber(ARGV[1])), 'PX', ARGV[4])
return {1, wait, now}
"""
_PAUSE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local after = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', ARGV[2])
return 1
"""


class Grant(NamedTuple):
    """When a call may go: so long after `at_us` of the clock that counted it."""

    wait_us: int
    at_us: int
    shared: bool


class _Local:
    """What this process knows of one rate, for all its threads and clients."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.next_us = 0
        self.circuit = Circuit(BREAKER_SECONDS, "calls go on at a quarter of their rate")


_locals: dict[str, _Local] = {}


class SharedRate:
    """`per_minute` calls a minute under one `key`, whoever calls. 0 means no limit.

    connection: None counts in this process alone. clock: seconds, monotonic.
    """

    def __init__(
        self,
        connection: Redis | None,
        key: str,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._key = key
        self._unlimited = per_minute == 0
        self._pace = pacing.pace(max(per_minute, 1))
        self._share = pacing.pace(max(per_minute // LOCAL_SHARE, 1))
        self._clock = clock
        self._sleep = sleep
        self._local = _locals.setdefault(key, _Local())

    def wait(self, longest_seconds: float) -> None:
        """Wait for a place; RateSpent at once when it is further than `longest_seconds` away."""
        if not self._unlimited:
            grant = self.take(longest_seconds)
            if grant.wait_us:
                self._sleep(grant.wait_us / _US)

    def take(self, longest_seconds: float) -> Grant:
        """A place that counts from now on, whether it is used or not. Raises RateSpent."""
        longest_us = max(int(longest_seconds * _US), 0)
        place, at_us, shared = self._place(longest_us)
        if not place.granted:
            seconds = place.wait_us / _US
            raise RateSpent(
                f"The next call is free in {seconds:.0f} s, and nobody waits that long for it.",
                unsent=True,
                wait_seconds=seconds,
            )
        return Grant(place.wait_us, at_us, shared)

    def pause(self, seconds: float) -> None:
        """Nobody calls for so long (at most 300 s): the other side asked for it."""
        pause_us = int(min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS) * _US)
        self._script(_PAUSE, pause_us, _FORGET_MS)
        with self._local.lock:
            self._local.next_us = pacing.pause(self._local.next_us, self._now_us(), pause_us)

    def _place(self, longest_us: int) -> tuple[Place, int, bool]:
        depth = (self._pace.burst - 1) * self._pace.interval_us
        answer = self._script(_RESERVE, self._pace.interval_us, depth, longest_us, _FORGET_MS)
        if answer is not None:
            granted, wait, now = (int(part) for part in answer)
            return Place(bool(granted), wait, 0), now, True
        with self._local.lock:
            now = self._now_us()
            place = pacing.reserve(self._local.next_us, now, self._share, longest_us)
            self._local.next_us = place.next_us
        return place, now, False

    def _now_us(self) -> int:
        return int(self._clock() * _US)

    def _script(self, script: str, *arguments: int) -> Any:
        """What the script answers; None when Redis is away, which is then left alone a while."""
        connection = self._connection
        if connection is None:
            return None
        return self._local.circuit.ask(
            lambda: connection.eval(script, 1, self._key, *arguments), self._clock()
        )
