"""When a delivery that failed is tried again, and when no more (pure)."""

from datetime import datetime, timedelta

from rewards_service.kit.backoff import retry_after_seconds

_MINUTE, _HOUR = 60, 3_600
# The wait after the first try, the second ...; three days in all. See docs/outbound.md.
WAITS_SECONDS = (
    5, 30, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR,
    12 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
MOST_TRIES = len(WAITS_SECONDS) + 1
JITTER = 0.1  # of a wait, longer or shorter, by lot
SOONEST, LATEST = timedelta(seconds=1), timedelta(hours=1)  # that a receiver may ask for
THROTTLED = (429, 503)
GONE = 410
# An endpoint that did not answer so often in a row is left alone for a while.
UNANSWERED_IN_A_ROW = 3
PAUSE = timedelta(seconds=30)


def wait_after(tries: int, chance: float) -> timedelta | None:
    """The wait after the try number `tries` (1 is the first) failed; None: it is given up.

    chance: 0 to 1, by lot: who failed together does not come back together.
    """
    if tries >= MOST_TRIES:
        return None
    return timedelta(seconds=WAITS_SECONDS[tries - 1] * (1 - JITTER + 2 * JITTER * chance))


def asked_wait(status: int | None, retry_after: str | None, now: datetime) -> timedelta | None:
    """The pause that an answer asks for, from a second to an hour; None when it asks for none."""
    if status not in THROTTLED:
        return None
    seconds = retry_after_seconds(retry_after, now)
    return None if seconds is None else min(max(timedelta(seconds=seconds), SOONEST), LATEST)


def is_success(status: int | None) -> bool:
    return status is not None and 200 <= status < 300
