import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards_service.kit.queue import EVENTS, Doorbell, living_workers, queue_on
from rewards_service.worker import MAX_JOBS
from tests import drains
from tests.redis_process import RedisProcess, until

ROOT = Path(__file__).resolve().parent.parent
DOORBELLS = {EVENTS: "tests.drains.drain_events", "rewards": "tests.drains.drain_rewards"}

_RUN = """
import logging, sys
from contextlib import nullcontext
from rewards_service.worker import Worker
logging.basicConfig(level="INFO")
url, max_jobs, *pairs = sys.argv[1:]
doorbells = dict(pair.split("=") for pair in pairs)
sys.exit(Worker(url, nullcontext, doorbells, max_jobs=int(max_jobs)).run())
"""


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    yield server
    server.stop()


class Shop:
    """Pending rows in a file, and the worker processes that drain them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_suffix(".log")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._rows = drains.connect(str(path))

    def accept(self, number: int) -> None:
        rows = [(0,)] * number
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT INTO pending (runs) VALUES (?)", rows)
        self._rows.execute("COMMIT")

    def runs(self) -> list[int]:
        return [runs for (runs,) in self._rows.execute("SELECT runs FROM pending")]

    def all_done(self) -> bool:
        return set(self.runs()) == {1}

    def log(self) -> str:
        return self._log.read_text()

    def work(
        self, url: str, max_jobs: int = MAX_JOBS, doorbells: dict[str, str] = DOORBELLS
    ) -> subprocess.Popen[bytes]:
        pairs = [f"{queue}={name}" for queue, name in doorbells.items()]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _RUN, url, str(max_jobs), *pairs],
                env={**os.environ, drains.PATH: str(self._path)},
                cwd=ROOT,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._rows.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "shop.db")
    yield shop
    shop.close()


class TestRun:
    def test_answers_a_ring(self, server: RedisProcess, shop: Shop) -> None:
        shop.work(server.url)
        assert until(lambda: living_workers(server.client()))
        shop.accept(3)
        doorbell = Doorbell(server.url, DOORBELLS)
        doorbell.ring(EVENTS)
        assert until(shop.all_done, 3)  # below the pause between two sweeps

    def test_drains_by_its_sweep_while_redis_is_down(
        self, server: RedisProcess, shop: Shop
    ) -> None:
        shop.work(server.url)
        assert until(lambda: living_workers(server.client()))
        server.stop()
        shop.accept(500)
        assert until(shop.all_done)
        assert shop.log().count("Redis is away") == 1

    def test_starts_and_drains_where_redis_never_was(self, shop: Shop) -> None:
        shop.accept(500)
        shop.work("redis://127.0.0.1:1/0")
        assert until(shop.all_done)

    def test_listens_again_when_redis_comes_back_empty(
        self, server: RedisProcess, shop: Shop
    ) -> None:
        shop.work(server.url)
        assert until(lambda: living_workers(server.client()))
        server.stop()
        assert until(lambda: "Redis is away" in shop.log())
        server.start()
        assert until(lambda: living_workers(server.client()))

    def test_several_workers_do_each_row_once(self, server: RedisProcess, shop: Shop) -> None:
        for _ in range(2):
            shop.work(server.url)
        doorbell = Doorbell(server.url, DOORBELLS)
        for _ in range(20):
            shop.accept(5)
            doorbell.ring(EVENTS)
            doorbell.flush(1)
        assert until(shop.all_done)
        assert len(shop.runs()) == 100

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_an_idle_worker_cleanly(
        self, server: RedisProcess, shop: Shop, number: signal.Signals
    ) -> None:
        process = shop.work(server.url)
        assert until(lambda: living_workers(server.client()))
        process.send_signal(number)
        process.send_signal(number)
        assert process.wait(60) == 0
        assert living_workers(server.client()) == []

    def test_a_signal_ends_a_worker_without_redis(self, shop: Shop) -> None:
        process = shop.work("redis://127.0.0.1:1/0")
        assert until(lambda: "Redis is away" in shop.log())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    def test_a_signal_lets_the_batch_finish(self, server: RedisProcess, shop: Shop) -> None:
        shop.accept(3)
        process = shop.work(server.url, doorbells={EVENTS: "tests.drains.drain_and_stop"})
        assert process.wait(60) == 0
        assert shop.all_done()

    def test_ends_after_its_jobs_to_be_started_afresh(
        self, server: RedisProcess, shop: Shop
    ) -> None:
        shop.accept(1)
        process = shop.work(server.url, max_jobs=1)
        assert process.wait(60) == 0
        assert shop.all_done()

    def test_a_failing_drain_neither_ends_it_nor_holds_up_the_other_queue(self, shop: Shop) -> None:
        shop.accept(2)
        shop.work(
            "redis://127.0.0.1:1/0",
            doorbells={"first": "tests.drains.drain_failing", EVENTS: DOORBELLS[EVENTS]},
        )
        assert until(shop.all_done)
        shop.accept(2)
        assert until(shop.all_done)
        assert shop.log().count("The sweep of first failed") == 1

    def test_refuses_a_redis_that_may_drop_jobs(self, server: RedisProcess, shop: Shop) -> None:
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        assert shop.work(server.url).wait(60) == 2
        assert "noeviction" in shop.log()

    def test_a_job_from_elsewhere_is_not_run(
        self, server: RedisProcess, shop: Shop, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"
        queue = queue_on(server.client(), EVENTS)
        job = queue.enqueue_call("os.system", args=[f"touch {trace}"])
        shop.work(server.url)
        assert until(lambda: job.get_status() == "failed")
        assert not trace.exists()
        shop.accept(1)
        Doorbell(server.url, DOORBELLS).ring(EVENTS)
        assert until(shop.all_done)


class TestDrainsOfTheTest:
    def test_would_show_a_row_done_twice(self, shop: Shop) -> None:
        shop.accept(1)
        rows: sqlite3.Connection = shop._rows
        rows.execute("UPDATE pending SET runs = 2")
        assert not shop.all_done()
