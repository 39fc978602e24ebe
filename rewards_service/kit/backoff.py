"""How long to wait before a call is repeated (pure)."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
# Beyond it no promise of the other side is believed to the second.
LONGEST_RETRY_AFTER = 86_400.0
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def backoff_seconds(attempt: int, chance: float) -> float:
    """The wait after attempt 1, 2, 3 ...: doubled each time, at most 30 s.

    chance: 0 to 1, by lot; the wait is between half and all of it, so that callers who failed
    together do not come back together.
    """
    doubled = FIRST_SECONDS * float(1 << min(attempt - 1, 16))
    return min(doubled, LONGEST_SECONDS) * (0.5 + 0.5 * chance)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The wait a Retry-After header asks for: seconds or an HTTP date; None when it says nothing.

    A date that is past means now; more than a day counts as a day.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
