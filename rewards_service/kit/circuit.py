"""Asking Redis where an answer is good to have, and nobody may wait for it."""

import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class Circuit:
    """Leaves Redis alone for `seconds` after it failed; then one caller tries for all.

    without: what happens meanwhile, for the one line of the log that each outage gets.
    """

    def __init__(self, seconds: float, without: str) -> None:
        self._seconds = seconds
        self._without = without
        self._again_at = 0.0

    def ask(self, question: Callable[[], Any], now: float) -> Any:
        """What `question` answers; None when Redis is away. now: seconds, monotonic."""
        if now < self._again_at:
            return None
        was_away = self._again_at > 0.0
        if was_away:  # whoever comes meanwhile does not try as well
            self._again_at = now + self._seconds
        try:
            answer = question()
        except (RedisError, OSError) as error:
            if not was_away:
                logger.warning("Redis cannot be reached (%s); %s", error, self._without)
            self._again_at = now + self._seconds
            return None
        self._again_at = 0.0
        return answer
