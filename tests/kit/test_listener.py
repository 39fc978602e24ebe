import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Worker as RqWorker
from rq.job import Job

from rewards_service.kit.listener import Listener
from rewards_service.kit.queue import living_workers, queue_on
from tests.redis_process import RedisProcess

DRAIN = "shop.drain"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(server: RedisProcess) -> Redis:
    client = server.client()
    client.flushall()
    return client


class Counter:
    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> int:
        self.runs += 1
        return 1


@pytest.fixture
def drain() -> Counter:
    return Counter()


@pytest.fixture
def listener(redis: Redis, drain: Counter) -> Listener:
    return Listener(redis, "one", ["events", "rewards"], {DRAIN: drain})


Ring = Callable[..., Job]


@pytest.fixture
def ring(redis: Redis) -> Ring:
    def ring(func: str = DRAIN, queue: str = "events", **options: object) -> Job:
        return queue_on(redis, queue).enqueue_call(func, **options)  # type: ignore[arg-type]

    return ring


def is_failed(job: Job) -> bool:
    return bool(job.get_status() == "failed")


class TestAnswer:
    def test_runs_an_allowed_job_and_leaves_nothing_behind(
        self, listener: Listener, drain: Counter, ring: Ring, redis: Redis
    ) -> None:
        ring(result_ttl=0)
        assert listener.answer(1.0)
        assert drain.runs == 1
        assert redis.keys("rq:job:*") == []

    def test_says_when_nothing_came(self, listener: Listener) -> None:
        assert not listener.answer(0.05)
        assert not listener.answer(0.0)

    def test_queues_take_turns(self, listener: Listener, ring: Ring, redis: Redis) -> None:
        for _ in range(3):
            ring(queue="events")
        ring(queue="rewards")
        listener.answer(1.0)
        listener.answer(1.0)
        assert redis.llen("rq:queue:rewards") == 0

    def test_a_foreign_callable_is_refused_and_not_run(
        self, listener: Listener, ring: Ring, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        job = ring("os.system", args=[f"touch {trace}"])
        assert listener.answer(1.0)
        assert not trace.exists()
        assert is_failed(job)

    def test_a_method_of_a_foreign_object_is_refused(
        self, listener: Listener, drain: Counter, ring: Ring, redis: Redis
    ) -> None:
        job = ring()
        redis.hset(job.key, "data", json.dumps([DRAIN, {"an": "object"}, [], {}]))
        assert listener.answer(1.0)
        assert is_failed(job)
        assert drain.runs == 0

    @pytest.mark.parametrize("options", [{"args": [1]}, {"kwargs": {"a": 1}}])
    def test_arguments_are_refused(
        self, listener: Listener, drain: Counter, ring: Ring, options: dict[str, object]
    ) -> None:
        job = ring(**options)
        assert listener.answer(1.0)
        assert is_failed(job)
        assert drain.runs == 0

    @pytest.mark.parametrize("func", [DRAIN, "os.system"])
    @pytest.mark.parametrize("field", ["success", "failure", "stopped"])
    def test_a_callback_is_refused_and_not_called(
        self, listener: Listener, drain: Counter, ring: Ring, redis: Redis, field: str, func: str
    ) -> None:
        job = ring(func)
        redis.hset(job.key, f"{field}_callback_name", "tests.kit.test_listener.called_back")
        assert listener.answer(1.0)
        assert is_failed(job)
        assert drain.runs == 0
        assert calls == []

    @pytest.mark.parametrize("func", [DRAIN, "os.system"])
    def test_a_webhook_is_refused_and_not_sent(
        self, listener: Listener, drain: Counter, ring: Ring, redis: Redis, func: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as target:
            target.setblocking(False)
            url = f"http://127.0.0.1:{target.getsockname()[1]}/"
            hooks = [
                {"url": url, "job_status": status, "timeout": 1}
                for status in ("finished", "failed")
            ]
            job = ring(func)
            redis.hset(job.key, "webhooks", json.dumps(hooks))
            assert listener.answer(1.0)
            with pytest.raises(BlockingIOError):
                target.accept()
        assert is_failed(job)
        assert drain.runs == 0

    def test_a_refused_job_is_not_repeated(
        self, listener: Listener, ring: Ring, redis: Redis
    ) -> None:
        job = ring("os.system", args=["true"])
        redis.hset(job.key, mapping={"retries_left": 1000, "number_of_retries": 1})
        assert listener.answer(1.0)
        assert is_failed(job)
        assert redis.llen("rq:queue:events") == 0

    @pytest.mark.parametrize(
        ("field", "value"), [("created_at", "yesterday"), ("timeout", "x"), ("data", b"\xff[")]
    )
    def test_an_unreadable_job_does_not_hold_up_the_next(
        self, redis: Redis, drain: Counter, ring: Ring, field: str, value: str | bytes
    ) -> None:
        listener = Listener(redis, "one", ["events"], {DRAIN: drain})
        redis.hset(ring().key, field, value)
        ring()
        listener.answer(1.0)
        listener.answer(1.0)
        assert drain.runs == 1
        assert redis.llen("rq:queue:events:intermediate") == 0

    def test_a_failing_drain_leaves_the_listener_working(self, redis: Redis, ring: Ring) -> None:
        outcomes: Iterator[Exception | None] = iter([ConnectionError("no database"), None])

        def drain() -> int:
            outcome = next(outcomes)
            if outcome is not None:
                raise outcome
            return 1

        listener = Listener(redis, "one", ["events"], {DRAIN: drain})
        job = ring()
        ring()
        assert listener.answer(1.0)
        assert is_failed(job)
        assert listener.answer(1.0)
        assert next(outcomes, "run twice") == "run twice"


class TestAnnounce:
    def test_is_seen_by_rq_and_by_us(self, listener: Listener, redis: Redis) -> None:
        listener.announce()
        assert living_workers(redis) == ["one"]
        assert [worker.name for worker in RqWorker.all(connection=redis)] == ["one"]
        assert 0 < int(redis.ttl("rewards:worker:one")) <= 30

    def test_comes_back_after_redis_was_emptied(self, listener: Listener, redis: Redis) -> None:
        listener.announce()
        redis.flushall()
        listener.announce()
        assert [worker.name for worker in RqWorker.all(connection=redis)] == ["one"]
        assert redis.hget("rq:worker:one", "pid") is not None

    def test_leaving_takes_it_off_both_lists(self, listener: Listener, redis: Redis) -> None:
        listener.announce()
        listener.leave()
        assert living_workers(redis) == []
        assert RqWorker.all(connection=redis) == []


class TestTidy:
    def test_cleans_once_in_a_while(self, listener: Listener) -> None:
        listener.tidy()
        first = listener.last_cleaned_at
        listener.tidy()
        assert first is not None
        assert listener.last_cleaned_at == first

    def test_survives_a_job_that_cannot_be_read(
        self, listener: Listener, redis: Redis, ring: Ring
    ) -> None:
        job = ring()
        redis.hset(job.key, "created_at", "yesterday")
        redis.lmove("rq:queue:events", "rq:queue:events:intermediate")
        listener.tidy()
        assert listener.last_cleaned_at is not None


calls: list[object] = []


def called_back(*args: object) -> None:
    calls.append(args)
