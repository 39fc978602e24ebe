"""A rate of so many calls a minute as times when the next call may go (pure).

Times are microseconds of any clock that only grows. A pace allows a small burst, then one call
every interval; both together stay below the limit in *every* stretch of 60 seconds, however it is
laid. 4 % of the limit are never used: they pay for what a shared count may lose.
"""

from typing import NamedTuple

MINUTE_US = 60_000_000
BURST_PERCENT = 4
STEADY_PERCENT = 92


class Pace(NamedTuple):
    """So many calls at once after a pause, then one every `interval_us`."""

    interval_us: int
    burst: int


class Place(NamedTuple):
    """When a call may go, or how long it would have to wait; and from when the next is counted."""

    granted: bool
    wait_us: int
    next_us: int


def pace(per_minute: int) -> Pace:
    """The pace below a limit of 1 or more calls a minute."""
    burst = max(1, per_minute * BURST_PERCENT // 100)
    steady = max(1, min(per_minute * STEADY_PERCENT // 100, per_minute - burst + 1))
    return Pace(-(-MINUTE_US // steady), burst)


def reserve(next_us: int, now_us: int, rate: Pace, longest_us: int) -> Place:
    """A place for one call, at `now_us + wait_us`; none when the wait is over `longest_us`."""
    start = max(next_us, now_us - (rate.burst - 1) * rate.interval_us)
    wait = max(start - now_us, 0)
    if wait > longest_us:
        return Place(False, wait, next_us)
    return Place(True, wait, start + rate.interval_us)


def pause(next_us: int, now_us: int, pause_us: int) -> int:
    """The new `next_us` when nobody shall call for `pause_us`; no burst follows."""
    return max(next_us, now_us + pause_us)
