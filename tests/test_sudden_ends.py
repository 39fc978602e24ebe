"""Redis or a worker ends at the worst moment: nothing is lost, nothing is done twice."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import READ_ONLY
from rewards_service.kit.queue import living_workers
from rewards_service.settings import Settings
from rewards_service.transactions.models import RewardDue, Transaction
from tests.builders.chargebee import Json, at, paid, refunded
from tests.builders.whole import OwnWorld, Read, read, violations
from tests.builders.world import World
from tests.redis_process import RedisProcess, until

ROOT = Path(__file__).resolve().parent.parent


_WORK = """
import sys
from rewards_service.app import create_app
from rewards_service.settings import load_settings
from rewards_service.worker import Worker
settings = load_settings()
app = create_app(settings)
sys.exit(Worker(settings.redis_url, app.app_context).run())
"""


class Workers:
    """Real worker processes on a world's database."""

    def __init__(self, settings: Settings, redis_url: str, log: Path) -> None:
        self._environ = {
            **os.environ,
            "DATABASE_URL": settings.database_url, "REDIS_URL": redis_url,
            "SECRET_KEY": settings.secret_key, "ENCRYPTION_KEYS": settings.encryption_keys[0],
            "BASE_URL": settings.base_url, "LOG_FORMAT": "json",
        }  # fmt: skip
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _WORK], env=self._environ, cwd=ROOT, stderr=log, stdout=log
            )
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture
def redis_server() -> Iterator[RedisProcess]:
    server = RedisProcess()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workers(settings: Settings, redis_server: RedisProcess, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(settings, redis_server.url, tmp_path / "workers.log")
    yield workers
    workers.close()


def states(engine: Engine) -> dict[str, int]:
    query = select(ReceivedEvent.state, func.count()).group_by(ReceivedEvent.state)
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        return {row[0]: row[1] for row in session.execute(query)}


def all_done(engine: Engine, number: int) -> bool:
    with Session(engine) as session:
        due = session.execute(select(func.count()).select_from(RewardDue)).scalar_one()
    return states(engine) == {"done": number} and due == 0


def month(size: int) -> list[Json]:
    """Payments and refunds of some payers with a lead, and of some without."""
    found: list[Json] = []
    for n in range(size // 2):
        payer = n % 40
        found.append(paid(f"{n}", f"cb_{payer}", f"p{payer}@one.example", 10_000, n % 28))
        found.append(refunded(f"r{n}", f"txn_{n}", 2_500, 28))
    return found


def people(world: World) -> None:
    partner = world.partner()
    for payer in range(30):
        world.lead(f"p{payer}@one.example", partner)


class TestRedisGone:
    def test_what_came_while_redis_was_away_is_done_once(
        self, world: World, workers: Workers, redis_server: RedisProcess
    ) -> None:
        """DOMAIN V9: the queue is only a doorbell, and it came back empty."""
        people(world)
        workers.start()
        assert until(lambda: living_workers(redis_server.client()), 120)
        redis_server.stop()
        world.accept(*month(500))
        redis_server.start()
        assert until(lambda: all_done(world.engine, 500), 300)
        earning = 250 - sum(n % 40 >= 30 for n in range(250))
        assert world.earned() == earning * 1_500
        assert len(world.all(Transaction)) == earning
        assert violations(world.engine) == {}


def is_leased(engine: Engine) -> bool:
    """Read without waiting for the worker's own transaction."""
    query = select(func.count()).where(ReceivedEvent.lease_token.is_not(None))
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        return session.execute(query).scalar_one() > 0


def is_pending(engine: Engine) -> bool:
    return states(engine).get("pending", 0) > 0


def end_leases(engine: Engine) -> None:
    """What the passing of twenty seconds does to the leases of the killed."""
    with engine.begin() as connection:
        connection.execute(
            update(ReceivedEvent)
            .where(ReceivedEvent.lease_until.is_not(None))
            .values(lease_until=at(-1))
        )


def kill_and_compare(world: World, workers: Workers, kills: int, seed: int) -> None:
    """Kill the worker in mid-batch so often; the books are those of an undisturbed run."""
    people(world)
    bodies = month(400)
    chance = random.Random(seed)  # noqa: S311 - a fixed choice
    pause = threading.Event()
    share = len(bodies) // kills
    in_the_middle = 0
    for turn in range(kills):
        world.accept(*bodies[turn * share : (turn + 1) * share])
        worker = workers.start()
        assert until(lambda: is_leased(world.engine) or not is_pending(world.engine), 120)
        pause.wait(chance.random() * 0.03)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        in_the_middle += is_leased(world.engine)
        end_leases(world.engine)
    world.accept(*bodies[kills * share :])
    workers.start()
    assert until(lambda: all_done(world.engine, len(bodies)), 300)
    assert in_the_middle >= kills // 2
    assert violations(world.engine) == {}


def undisturbed(path: Path, template: Path) -> Read:
    path.write_bytes(template.read_bytes())
    with OwnWorld(f"sqlite:///{path}") as world:
        people(world)
        world.accept(*month(400))
        world.drain()
        return read(world.engine)


class TestSuddenDeath:
    def test_three_kills_leave_no_trace(
        self, world: World, workers: Workers, tmp_path: Path, sqlite_template: Path
    ) -> None:
        """DOMAIN V9: what a batch does is committed together or not at all."""
        kill_and_compare(world, workers, 3, 1)
        assert read(world.engine) == undisturbed(tmp_path / "calm.db", sqlite_template)

    @pytest.mark.slow
    def test_twenty_kills_leave_no_trace(
        self, world: World, workers: Workers, tmp_path: Path, sqlite_template: Path
    ) -> None:
        """DOMAIN V9."""
        kill_and_compare(world, workers, 20, 2)
        assert read(world.engine) == undisturbed(tmp_path / "calm.db", sqlite_template)
