import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from rewards_service.cli.scheduler import Scheduler
from rewards_service.kit.queue import EVENTS, REWARDS, Doorbell, queue_on
from rewards_service.kit.stop import Stop
from tests.redis_process import RedisProcess, until


@pytest.fixture(scope="module")
def server() -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def doorbell(server: RedisProcess) -> Doorbell:
    server.client().flushall()
    return Doorbell(server.url)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'rewards.db'}")
    yield engine
    engine.dispose()


def yes(session: Session) -> bool:
    return bool(session.execute(text("SELECT 1")).scalar_one())


def no(session: Session) -> bool:
    return False


def away(session: Session) -> bool:
    raise ConnectionError("the database is away")


def waiting(server: RedisProcess, queue: str) -> int:
    return queue_on(server.client(), queue).count


class TestLook:
    def test_says_that_it_lives_after_a_look_that_worked(
        self, engine: Engine, doorbell: Doorbell
    ) -> None:
        said: list[str] = []
        for check, word in ((away, "away"), (no, "looked")):
            Scheduler(engine, doorbell, {EVENTS: check}, lambda word=word: said.append(word)).look()  # type: ignore[misc]

        assert said == ["looked"]

    def test_rings_only_what_is_due(
        self, engine: Engine, doorbell: Doorbell, server: RedisProcess
    ) -> None:
        Scheduler(engine, doorbell, {EVENTS: no, REWARDS: yes}).look()
        assert doorbell.flush(5)
        assert (waiting(server, EVENTS), waiting(server, REWARDS)) == (0, 1)

    def test_several_schedulers_make_one_job(
        self, engine: Engine, doorbell: Doorbell, server: RedisProcess
    ) -> None:
        for _ in range(3):
            Scheduler(engine, doorbell, {EVENTS: yes}).look()
            assert doorbell.flush(5)
        assert waiting(server, EVENTS) == 1

    def test_takes_no_write_lock(self, engine: Engine, doorbell: Doorbell) -> None:
        with engine.connect() as writer:
            writer.execute(text("CREATE TABLE held (id INTEGER)"))
            seen: list[bool] = []

            def check(session: Session) -> bool:
                seen.append(yes(session))
                return False

            Scheduler(engine, doorbell, {EVENTS: check}).look()
        assert seen == [True]

    def test_an_outage_of_the_database_is_logged_once_and_survived(
        self,
        engine: Engine,
        doorbell: Doorbell,
        server: RedisProcess,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        answers = iter([away, away, yes, yes])

        def check(session: Session) -> bool:
            answer = next(answers)
            return answer(session)

        scheduler = Scheduler(engine, doorbell, {EVENTS: check})
        with caplog.at_level(logging.INFO, "rewards_service.cli.scheduler"):
            for _ in range(4):
                scheduler.look()
        assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
        assert doorbell.flush(5)
        assert waiting(server, EVENTS) == 1

    def test_an_outage_of_redis_does_not_hold_it_up(self, engine: Engine) -> None:
        scheduler = Scheduler(engine, Doorbell("redis://127.0.0.1:1/0"), {EVENTS: yes})
        start = time.monotonic()
        for _ in range(50):
            scheduler.look()
        assert time.monotonic() - start < 30


class TestRun:
    def test_looks_until_it_is_stopped_and_then_ends_at_once(
        self, engine: Engine, doorbell: Doorbell
    ) -> None:
        looks: list[int] = []

        def check(session: Session) -> bool:
            looks.append(1)
            return False

        stop = Stop()
        scheduler = Scheduler(engine, doorbell, {EVENTS: check})
        thread = threading.Thread(target=scheduler.run, args=(stop, 0.01))
        thread.start()
        assert until(lambda: len(looks) >= 3)
        stop.request()
        thread.join(60)
        assert not thread.is_alive()

        pausing = threading.Thread(target=scheduler.run, args=(stop, 600))
        pausing.start()
        pausing.join(60)
        assert not pausing.is_alive()
