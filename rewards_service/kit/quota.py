"""How many requests somebody may make a minute, counted in Redis for all processes.

A process takes requests from Redis some at a time, a thousandth of the quota: asking for each would
cost as much as some answers do. So Redis is asked rarely, small quotas are exact, and of a large
one each process may leave a thousandth unused.
"""

import threading
import time
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from redis import Redis

from rewards_service.kit.circuit import Circuit

WINDOW_SECONDS = 60
PORTION = 1_000  # this part of a quota is taken at a time
# Without Redis processes know nothing of each other: up to so many at once stay below the quota.
LOCAL_SHARE = 4
MOST_LEASES = 10_000
BREAKER_SECONDS = 5.0
_PREFIX = "rewards:quota:"
_TAKE = """
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
return {used, left}
"""


class Standing(NamedTuple):
    """Whether a request may be answered, and what is left of its quota."""

    policy: str
    granted: bool
    quota: int
    left: int
    reset_seconds: int  # until the whole quota is there again

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 tells a client."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={self.left};t={self.reset_seconds}',
        }


class _Lease:
    """Requests that this process may grant by itself until the window of a minute ends."""

    def __init__(self, quota: int, ends_at: float, shared: bool) -> None:
        self.quota, self.ends_at, self.shared = quota, ends_at, shared
        self.spare = 0
        self.left = 0  # for all processes, beside what is spare here

    def must_ask(self, now: float) -> bool:
        """Whether Redis may grant more than this does."""
        if self.ends_at <= now:
            return True
        return self.spare == 0 and (self.left > 0 or not self.shared)

    def take(self, policy: str, now: float) -> Standing:
        granted = self.spare > 0
        self.spare -= granted
        wait = max(ceil(self.ends_at - now), 1)
        return Standing(policy, granted, self.quota, self.left + self.spare, wait)


class Quotas:
    """Counts requests in windows of a minute, each begun by somebody's first request.

    connection: gives up quickly and repeats nothing; None counts in this process alone. clock:
    seconds, monotonic.
    """

    def __init__(
        self, connection: Redis | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._circuit = Circuit(
            BREAKER_SECONDS, "each process counts requests by itself, to a quarter of the limits"
        )
        self._lock = threading.Lock()
        self._leases: dict[str, _Lease] = {}

    def spend(self, policy: str, who: str, quota: int) -> Standing:
        """Count one request of `who`. Never an error, and hardly a wait: Redis may be away."""
        name, now = f"{policy}:{who}", self._clock()
        with self._lock:
            lease = self._leases.get(name)
            if lease is not None and not lease.must_ask(now):
                return lease.take(policy, now)
        portion = max(quota // PORTION, 1)
        answer = self._ask(name, portion, now)
        with self._lock:
            lease = self._renewed(name, quota, now, shared=answer is not None)
            if answer is not None:
                used, left_ms = answer
                lease.spare += max(min(portion, quota - (used - portion)), 0)
                lease.left = max(quota - used, 0)
                lease.ends_at = now + left_ms / 1000
            return lease.take(policy, now)

    def _ask(self, name: str, portion: int, now: float) -> tuple[int, int] | None:
        connection = self._connection
        if connection is None:
            return None
        key, window_ms = _PREFIX + name, WINDOW_SECONDS * 1000
        answer = self._circuit.ask(lambda: connection.eval(_TAKE, 1, key, portion, window_ms), now)
        return None if answer is None else (int(answer[0]), int(answer[1]))

    def _renewed(self, name: str, quota: int, now: float, shared: bool) -> _Lease:
        """The lease to take from: that of this window still, or a new one."""
        lease = self._leases.get(name)
        if lease is not None and lease.ends_at > now and lease.shared == shared:
            return lease
        if len(self._leases) >= MOST_LEASES:
            self._make_room(now)
        share = quota if shared else max(quota // LOCAL_SHARE, 1)
        lease = _Lease(share, now + WINDOW_SECONDS, shared)
        lease.spare = 0 if shared else share
        self._leases[name] = lease
        return lease

    def _make_room(self, now: float) -> None:
        self._leases = {name: kept for name, kept in self._leases.items() if kept.ends_at > now}
        if len(self._leases) >= MOST_LEASES:  # a crowd: better to forget than to grow
            self._leases.clear()
