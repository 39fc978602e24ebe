"""Requests counted for all processes."""

import re
import socket
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from rewards_service.kit.queue import connect
from rewards_service.kit.quota import BREAKER_SECONDS, LOCAL_SHARE, MOST_LEASES, Quotas
from tests.peers.fake_time import FakeTime
from tests.redis_process import RedisProcess


def granted(quotas: Quotas, number: int, quota: int, who: str = "a") -> int:
    return sum(quotas.spend("default", who, quota).granted for _ in range(number))


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a Redis that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def asked(connection: Redis) -> int:
    """How often Redis has spent something since it runs: not at all, in a process that began."""
    found: int = connection.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]
    return found


class TestSpend:
    @pytest.mark.parametrize("quota", [1, 5, 1_000, 4_000])
    def test_processes_share_a_quota(self, redis_connection: Redis, quota: int) -> None:
        first, second = Quotas(redis_connection), Quotas(redis_connection)

        total = granted(first, quota // 2, quota) + granted(second, quota, quota)
        total += granted(first, quota, quota)

        assert quota - quota // 500 <= total <= quota

    def test_it_says_what_is_left_and_until_when(self, redis_connection: Redis) -> None:
        quotas = Quotas(redis_connection)
        told = [quotas.spend("default", "a", 2) for _ in range(3)]

        assert [one.left for one in told] == [1, 0, 0]
        assert [one.granted for one in told] == [True, True, False]
        assert told[0].headers["RateLimit-Policy"] == '"default";q=2;w=60'
        assert re.fullmatch(r'"default";r=1;t=(60|59)', told[0].headers["RateLimit"])
        assert quotas.spend("default", "b", 2).granted
        assert quotas.spend("address", "a", 2).granted

    def test_the_quota_is_there_again_when_its_minute_is_over(
        self, redis_connection: Redis
    ) -> None:
        now = FakeTime()
        quotas = Quotas(redis_connection, now.clock)
        assert granted(quotas, 5, 2) == 2
        now.sleep(60.0)
        redis_connection.flushall()  # whose minute is over as well

        assert granted(quotas, 5, 2) == 2

    def test_nothing_is_kept_in_redis_beyond_the_minute(self, redis_connection: Redis) -> None:
        Quotas(redis_connection).spend("default", "a", 2)
        keys = redis_connection.keys()

        assert len(keys) == 1
        assert 0 < redis_connection.pttl(keys[0]) <= 60_000

    def test_redis_is_asked_once_in_a_while(self, redis_connection: Redis) -> None:
        quotas = Quotas(redis_connection)
        before = asked(redis_connection)
        granted(quotas, 900, 30_000)
        after = asked(redis_connection)

        assert after - before == 30

    def test_who_is_over_does_not_trouble_redis(self, redis_connection: Redis) -> None:
        quotas = Quotas(redis_connection)
        granted(quotas, 1, 1)
        before = asked(redis_connection)
        assert granted(quotas, 100, 1) == 0

        assert asked(redis_connection) == before


class TestWithoutRedis:
    def test_each_process_grants_a_share(self) -> None:
        now = FakeTime()
        quotas = Quotas(None, now.clock)

        assert granted(quotas, 100, 40) == 40 // LOCAL_SHARE
        assert granted(quotas, 100, 1, "b") == 1
        now.sleep(60.0)
        assert granted(quotas, 100, 40) == 40 // LOCAL_SHARE

    def test_a_redis_that_hangs_holds_up_one_request_only(self, silent: str) -> None:
        now = FakeTime()
        quotas = Quotas(connect(silent, 0.05), now.clock)
        begun = time.monotonic()
        assert granted(quotas, 50, 4_000) == 50

        assert time.monotonic() - begun < 30  # of 4,000 that would each wait

    def test_counting_comes_back_to_redis(self) -> None:
        server = RedisProcess()
        server.start()
        now = FakeTime()
        quotas = Quotas(server.client(), now.clock)
        try:
            assert granted(quotas, 10, 8) == 8
            server.stop()
            now.sleep(60.0)
            assert granted(quotas, 10, 8) == 2
            server.start()
            assert granted(quotas, 10, 8) == 0  # left alone for a while
            now.sleep(BREAKER_SECONDS)
            assert granted(quotas, 10, 8) == 8
        finally:
            server.stop()

    def test_a_crowd_does_not_fill_the_memory(self) -> None:
        quotas = Quotas(None, FakeTime().clock)
        for number in range(MOST_LEASES + 5):
            quotas.spend("address", str(number), 4)

        assert len(quotas._leases) <= MOST_LEASES
