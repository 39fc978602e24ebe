"""The site's rate limit: a bucket of calls that fills again over a minute (pure)."""

import math
from collections.abc import Callable

from rewards_service.simulator.errors import too_many

MINUTE_S = 60.0


class RateLimit:
    """`per_minute` calls, 0 for no limit; whether a refusal says when to come again.

    clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float], per_minute: int = 0) -> None:
        self._clock = clock
        self.refused = 0
        self.taken = 0
        self.set(per_minute)

    def set(self, per_minute: int, says_when: bool = True) -> None:
        """A new limit; the bucket is full."""
        self.per_minute = per_minute
        self.says_when = says_when
        self._left = float(per_minute)
        self._seen_s = self._clock()

    def take(self) -> None:
        """One call. Raises ApiError 429 when the bucket is empty."""
        if not self.per_minute:
            return
        now_s = self._clock()
        per_s = self.per_minute / MINUTE_S
        self._left = min(self._left + (now_s - self._seen_s) * per_s, float(self.per_minute))
        self._seen_s = now_s
        if self._left < 1:
            self.refused += 1
            raise too_many(math.ceil((1 - self._left) / per_s) if self.says_when else None)
        self._left -= 1
        self.taken += 1
