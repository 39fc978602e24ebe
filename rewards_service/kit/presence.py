"""Signs of life in Redis: who runs beside us, on whatever machine."""

import os
import secrets
import socket
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.queue import connect

SCHEDULER_PREFIX = "rewards:scheduler:"
TTL_SECONDS = 30


class Presence:
    """The sign of life of this process under a prefix; it fades by itself."""

    def __init__(self, redis_url: str, prefix: str = SCHEDULER_PREFIX) -> None:
        self._connection = connect(redis_url)
        self._key = f"{prefix}{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def announce(self) -> None:
        """Say that we live. Without Redis nobody is told, and nothing else happens."""
        with suppress(RedisError):
            self._connection.set(self._key, rfc3339(utc_now()), ex=TTL_SECONDS)

    def leave(self) -> None:
        with suppress(RedisError):
            self._connection.delete(self._key)


def living_schedulers(connection: Redis) -> list[str]:
    """Names of the schedulers that looked within the last 30 seconds. Raises RedisError."""
    keys = connection.scan_iter(match=f"{SCHEDULER_PREFIX}*", count=500)
    return sorted(key.decode().removeprefix(SCHEDULER_PREFIX) for key in keys)
