from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from redis import Redis

from rewards_service.kit.http_errors import RateSpent
from rewards_service.kit.queue import connect
from rewards_service.kit.rate import BREAKER_SECONDS, LONGEST_PAUSE_SECONDS, SharedRate
from tests.kit.test_pacing import busiest_minute
from tests.peers.fake_time import FakeTime
from tests.redis_process import RedisProcess


@pytest.fixture
def key() -> str:
    return f"rate-{uuid4().hex}"


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    process = RedisProcess()
    process.start()
    yield process
    process.stop()


def rate(connection: Redis | None, key: str, per_minute: int, time: FakeTime) -> SharedRate:
    return SharedRate(connection, key, per_minute, clock=time.clock, sleep=time.sleep)


class TestTake:
    def test_all_who_share_a_key_stay_below_the_limit_together(
        self, redis_url: str, redis_connection: Redis, key: str
    ) -> None:
        def take(_: int) -> list[int]:
            connection = connect(redis_url, timeout=5.0)
            mine = rate(connection, key, 300, FakeTime())
            grants = [mine.take(600) for _ in range(200)]
            connection.close()
            assert all(grant.shared for grant in grants)
            return [grant.at_us + grant.wait_us for grant in grants]

        with ThreadPoolExecutor(4) as pool:
            times = [time for some in pool.map(take, range(4)) for time in some]

        assert len(times) == 800
        assert busiest_minute(times) <= 300

    def test_another_key_has_its_own_rate(self, redis_connection: Redis, key: str) -> None:
        mine = rate(redis_connection, key, 10, FakeTime())
        other = rate(redis_connection, f"{key}-other", 10, FakeTime())

        assert mine.take(600).wait_us == 0
        assert mine.take(600).wait_us > 0
        assert other.take(600).wait_us == 0

    def test_a_place_too_far_away_is_not_taken(self, redis_connection: Redis, key: str) -> None:
        mine = rate(redis_connection, key, 10, FakeTime())
        mine.take(600)

        with pytest.raises(RateSpent) as refused:
            mine.take(1.0)
        assert refused.value.wait_seconds is not None
        assert refused.value.wait_seconds > 1.0
        assert mine.take(600).wait_us <= 7_000_000  # the refused one is not counted

    def test_what_is_counted_is_forgotten_after_a_while(
        self, redis_connection: Redis, key: str
    ) -> None:
        rate(redis_connection, key, 10, FakeTime()).take(600)

        assert 0 < redis_connection.pttl(key) <= 900_000


class TestWait:
    def test_it_sleeps_until_the_place(self, redis_connection: Redis, key: str) -> None:
        time = FakeTime()
        mine = rate(redis_connection, key, 10, time)
        mine.wait(600)
        mine.wait(600)

        assert len(time.slept) == 1
        assert 5.0 < time.slept[0] <= 60 / 9 + 0.1

    def test_no_limit_asks_nobody(self, key: str) -> None:
        time = FakeTime()
        for _ in range(1_000):
            rate(None, key, 0, time).wait(0.0)

        assert time.slept == []


class TestWithoutRedis:
    def test_each_process_takes_a_quarter(self, key: str) -> None:
        time = FakeTime()
        times = []
        for _ in range(400):  # a client for each job, as jobs have it
            grant = rate(None, key, 1_000, time).take(600)
            assert not grant.shared
            times.append(grant.at_us + grant.wait_us)

        assert busiest_minute(times) <= 250
        assert busiest_minute(times) >= 200

    def test_calls_go_on_when_redis_stops_and_come_back_to_it(
        self, server: RedisProcess, key: str
    ) -> None:
        time = FakeTime()
        mine = rate(server.client(), key, 6_000, time)
        assert mine.take(600).shared

        server.stop()
        assert not mine.take(600).shared
        server.start()
        assert not mine.take(600).shared  # left alone for a while
        time.sleep(BREAKER_SECONDS)
        assert mine.take(600).shared


class TestPause:
    def test_it_holds_for_everybody(
        self, redis_url: str, redis_connection: Redis, key: str
    ) -> None:
        other = connect(redis_url, timeout=5.0)
        rate(other, key, 600, FakeTime()).pause(20.0)
        other.close()

        wait = rate(redis_connection, key, 600, FakeTime()).take(600).wait_us
        assert 19_000_000 < wait <= 20_000_000

    def test_it_holds_without_redis(self, key: str) -> None:
        time = FakeTime()
        rate(None, key, 600, time).pause(20.0)

        assert rate(None, key, 600, time).take(600).wait_us == 20_000_000

    def test_nobody_can_stop_us_for_a_day(self, redis_connection: Redis, key: str) -> None:
        mine = rate(redis_connection, key, 600, FakeTime())
        mine.pause(86_400.0)

        assert mine.take(600).wait_us <= LONGEST_PAUSE_SECONDS * 1_000_000
