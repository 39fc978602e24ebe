import logging
import os
import socket
import time
from collections.abc import Iterator

import pytest
from rq.job import Job

from rewards_service.kit.queue import (
    DOORBELLS,
    EVENTS,
    HEARTBEAT_PREFIX,
    REWARDS,
    Doorbell,
    connect,
    eviction_problem,
    living_workers,
    queue_on,
)
from tests.redis_process import RedisProcess, until

NOWHERE = "redis://127.0.0.1:1/0"
MICROSECONDS = 1e-6


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    yield server
    server.stop()


def waiting(server: RedisProcess, name: str = EVENTS) -> list[Job]:
    return list(queue_on(server.client(), name).jobs)


def seconds_per_ring(doorbell: Doorbell, rings: int) -> float:
    start = time.thread_time()
    for number in range(rings):
        doorbell.ring(EVENTS if number % 2 else REWARDS)
    return (time.thread_time() - start) / rings


class TestRing:
    def test_many_rings_make_one_job(self, server: RedisProcess) -> None:
        doorbell = Doorbell(server.url)
        for _ in range(5):
            for _ in range(200):
                doorbell.ring(EVENTS)
            assert doorbell.flush(5)
        assert len(waiting(server)) == 1
        assert waiting(server, REWARDS) == []

    def test_the_job_names_the_drain_and_carries_nothing(self, server: RedisProcess) -> None:
        doorbell = Doorbell(server.url)
        doorbell.ring(REWARDS)
        assert doorbell.flush(5)
        (job,) = waiting(server, REWARDS)
        assert job.func_name == DOORBELLS[REWARDS]
        assert (list(job.args), job.kwargs, job.retries_left) == ([], {}, None)
        assert (job.timeout, job.result_ttl, job.failure_ttl) == (120, 0, 86_400)

    def test_a_queue_whose_job_was_taken_is_rung_again(self, server: RedisProcess) -> None:
        doorbell = Doorbell(server.url)
        doorbell.ring(EVENTS)
        assert doorbell.flush(5)
        server.client().delete(queue_on(server.client(), EVENTS).key)
        doorbell.ring(EVENTS)
        assert doorbell.flush(5)
        assert len(waiting(server)) == 1

    def test_costs_microseconds_while_redis_is_down(self) -> None:
        assert seconds_per_ring(Doorbell(NOWHERE), 20_000) < 50 * MICROSECONDS

    def test_costs_microseconds_while_redis_does_not_answer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            doorbell = Doorbell(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
            assert seconds_per_ring(doorbell, 20_000) < 50 * MICROSECONDS
            assert not doorbell.flush(0.01)

    def test_an_outage_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        doorbell = Doorbell(NOWHERE)
        with caplog.at_level(logging.INFO, "rewards_service.kit.queue"):
            doorbell.ring(EVENTS)
            assert not doorbell.flush(1.5)  # longer than the breaker: tried at least twice
        # Doorbells of other tests, at other addresses, may still have something to say.
        told = [record for record in caplog.records if "127.0.0.1:1." in record.getMessage()]
        assert len(told) == 1

    def test_rings_a_server_that_came_back_empty(self, server: RedisProcess) -> None:
        doorbell = Doorbell(server.url)
        doorbell.ring(EVENTS)
        assert doorbell.flush(5)
        server.stop()
        doorbell.ring(EVENTS)
        assert not doorbell.flush(0.1)
        server.start()
        doorbell.ring(REWARDS)
        assert doorbell.flush(5)
        assert len(waiting(server)) == 1
        assert len(waiting(server, REWARDS)) == 1

    def test_rings_from_a_forked_process(self, server: RedisProcess) -> None:
        doorbell = Doorbell(server.url)
        doorbell.ring(EVENTS)
        assert doorbell.flush(5)
        child = os.fork()
        if child == 0:
            doorbell.ring(REWARDS)
            os._exit(0 if doorbell.flush(5) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(waiting(server, REWARDS)) == 1

    def test_an_unknown_queue_is_logged_and_ignored(self, caplog: pytest.LogCaptureFixture) -> None:
        doorbell = Doorbell(NOWHERE)
        doorbell.ring("unheard_of")
        assert "unheard_of" in caplog.text
        assert doorbell.flush(0)


class TestEvictionProblem:
    def test_noeviction_is_fine(self, server: RedisProcess) -> None:
        assert eviction_problem(server.client()) is None

    def test_any_other_policy_is_named_with_its_remedy(self, server: RedisProcess) -> None:
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        problem = eviction_problem(server.client())
        assert problem is not None
        assert "allkeys-lru" in problem
        assert "noeviction" in problem

    def test_a_server_that_hides_it_passes_with_a_warning(
        self, server: RedisProcess, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = server.client()
        client.acl_setuser(
            "app", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-config"]
        )
        limited = connect(server.url.replace("//", "//app:pw@"), timeout=2.0)
        assert eviction_problem(limited) is None
        assert "maxmemory-policy" in caplog.text


class TestLivingWorkers:
    def test_lists_those_that_reported_lately(self, server: RedisProcess) -> None:
        client = server.client()
        client.set(HEARTBEAT_PREFIX + "b", "", ex=30)
        client.set(HEARTBEAT_PREFIX + "a", "", px=1)
        client.set(HEARTBEAT_PREFIX + "c", "", ex=30)
        assert until(lambda: living_workers(client) == ["b", "c"])
