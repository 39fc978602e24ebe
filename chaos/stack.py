"""A whole installation under fire: PostgreSQL, a queue, gunicorn, workers and a scheduler."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet
from redis.exceptions import RedisError
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chaos.armed import VARIABLE
from chaos.processes import Program, RedisProgram, python, until
from chaos.proxy import FaultProxy, free_port
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.migrate import upgrade
from rewards_service.kit.queue import connect, living_workers
from rewards_service.settings import Settings, load_settings
from rewards_service.transactions.models import RewardDue
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.peers.livez import is_live
from tests.postgres_server import PostgresServer, start_server

SECRET_KEY = "a key of the chaos runs only, long enough"
CONFIGURATION = "python:rewards_service.cli.gunicorn_settings"
DATABASE = "postgres"
READY_SECONDS = 240.0  # a machine may be busy


class Stack:
    """Use as a context: everything runs inside, and nothing is left over.

    The service reaches PostgreSQL and Redis directly, or with `through_proxies` by `to_database`
    and `to_redis`, which may be told to misbehave.
    """

    def __init__(
        self, folder: Path, workers: int = 2, pg_parent: Path | None = None, **switches: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.plan = folder / "crash-plan"
        server = start_server(durable=True, parent=pg_parent, host=None, **switches)
        if server is None:
            raise SystemExit("This needs PostgreSQL: no server binaries and no wheel.")
        self.postgres: PostgresServer = server
        self.url = server.url(DATABASE)
        self.redis = RedisProgram(folder)
        self.to_database = FaultProxy(f"{server.folder}/.s.PGSQL.5432")
        self.to_redis = FaultProxy(("127.0.0.1", self.redis.port))
        self.settings = self._settings()
        self.engine: Engine = create_engine(self.url, pool_pre_ping=True, hide_parameters=True)
        service = partial(self._program, "rewards_service")
        self.web = self._program("gunicorn", "web", "--config", CONFIGURATION, "wsgi:app")
        self.workers = [service(f"worker {n + 1}", "worker") for n in range(workers)]
        self.scheduler = service("scheduler", "scheduler")
        self.elsewhere: list[Program] = []  # on other hosts

    @property
    def programs(self) -> list[Program]:
        return [self.redis, self.web, *self.workers, self.scheduler, *self.elsewhere]

    def __enter__(self) -> Self:
        try:
            upgrade(self.url)
            self.world = World(webhook_app(self.settings), self.engine, self.settings)
            self.redis.start_and_wait()
            for program in self.programs[1:]:
                program.start()
            if not self.wait_for(self.is_ready, READY_SECONDS):
                raise RuntimeError(f"The service did not start; see {self.folder}.")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for program in self.programs:
            program.stop(signal.SIGKILL)
        self.engine.dispose()
        self.to_database.__exit__()
        self.to_redis.__exit__()
        self.postgres.stop()

    # --- looking after it ---

    def tend(self) -> None:
        """What a supervisor does: start again whatever ended."""
        for program in self.programs:
            program.tend()
        if self.postgres.process.poll() is not None:
            self.postgres.start()

    def wait_for(self, condition: Callable[[], object], seconds: float) -> bool:
        return until(condition, seconds, self.tend)

    def rest(self, seconds: float) -> None:
        """Let time pass, and start again what ends."""
        self.wait_for(lambda: False, seconds)

    def is_ready(self) -> bool:
        return self.web_answers() and len(self.living_workers()) >= len(self.workers)

    def web_answers(self) -> bool:
        return is_live(self.settings.port)

    def living_workers(self) -> list[str]:
        """Names of the workers of now; those that were killed are forgotten after 30 seconds."""
        pids = {str(worker.pid) for worker in self.workers if worker.is_alive}
        try:
            named = living_workers(connect(self.workers[0].environ["REDIS_URL"], timeout=2.0))
        except RedisError:
            return []
        return [name for name in named if name.split("-")[-2] in pids]

    def through_proxies(self, wanted: bool) -> None:
        """Start the service again with proxies between it and PostgreSQL and Redis, or without."""
        database = f"postgresql+psycopg://rewards@127.0.0.1:{self.to_database.port}/{DATABASE}"
        redis = f"redis://127.0.0.1:{self.to_redis.port}/0"
        self.restart(
            DATABASE_URL=database if wanted else self.url,
            REDIS_URL=redis if wanted else self.redis.url,
        )

    def restart(self, **environ: str) -> None:
        """Start the service again with other settings."""
        for program in self.programs[1:]:
            program.stop()
            program.environ |= environ
            program.start()
        if not self.wait_for(self.is_ready, READY_SECONDS):
            raise RuntimeError(f"The service did not start again; see {self.folder}.")

    @contextmanager
    def frozen_workers(self) -> Iterator[None]:
        """Nobody drains inside; the workers go on where they were."""
        for worker in self.workers:
            worker.kill(signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in self.workers:
                worker.kill(signal.SIGCONT)

    # --- what there is to do ---

    def waiting(self) -> int:
        """Events and rewards that still wait; -1 when the database cannot be asked."""
        try:
            with Session(self.engine) as session:
                pending = select(func.count()).where(ReceivedEvent.state == "pending")
                due = select(func.count()).select_from(RewardDue).where(RewardDue.dead.is_(False))
                return (session.scalar(pending) or 0) + (session.scalar(due) or 0)
        except DBAPIError:
            return -1

    def is_leased(self) -> bool:
        """Whether some worker has events in hand."""
        query = select(func.count()).where(
            ReceivedEvent.state == "pending", ReceivedEvent.lease_token.is_not(None)
        )
        try:
            with Session(self.engine) as session:
                return bool(session.scalar(query))
        except DBAPIError:
            return False

    def drain(self, seconds: float = 300.0) -> float:
        """Seconds until nothing waits any more. Raises RuntimeError when it does not come to it."""
        begun = time.monotonic()
        if not self.wait_for(lambda: self.waiting() == 0, seconds):
            raise RuntimeError(f"{self.waiting()} still wait after {seconds:g} s.")
        return time.monotonic() - begun

    def _settings(self) -> Settings:
        return load_settings(
            {
                "DATABASE_URL": self.url, "REDIS_URL": self.redis.url, "SECRET_KEY": SECRET_KEY,
                "ENCRYPTION_KEYS": Fernet.generate_key().decode(), "VAR_DIR": str(self.folder),
                "PORT": str(free_port()), "ARGON2_MEMORY_KIB": "64",
            }
        )  # fmt: skip

    def _program(self, module: str, name: str, *arguments: str) -> Program:
        counters = self.folder / "metrics"
        counters.mkdir(exist_ok=True)
        environ = {
            "DATABASE_URL": self.url, "REDIS_URL": self.redis.url,
            "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": self.settings.encryption_keys[0],
            "VAR_DIR": str(self.folder), "PORT": str(self.settings.port),
            "BASE_URL": self.settings.base_url, "LOG_FORMAT": "json", "WEB_WORKERS": "2",
            "WEBHOOK_ALLOW_LOOPBACK": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(counters), "PYTHONUNBUFFERED": "1",
            VARIABLE: f"@{self.plan}",
        }  # fmt: skip
        log = self.folder / f"{name.replace(' ', '-')}.log"
        return Program(name, python(module, *arguments), environ, log)

    def backends(self) -> list[int]:
        """Process ids of PostgreSQL's connections to the service, not of our own."""
        query = (
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND pid <> pg_backend_pid()"
        )
        with self.engine.connect() as connection:
            return [row[0] for row in connection.exec_driver_sql(query)]

    def other_database(self, name: str) -> Engine:
        """Another database of the same server, each statement a transaction."""
        return create_engine(self.postgres.url(name), isolation_level="AUTOCOMMIT")

    def crash_postgres(self) -> None:
        """An immediate stop: nothing is written any more. The next look starts it again."""
        self.postgres.end(signal.SIGQUIT)

    def kill_backend(self, chance: random.Random) -> None:
        """SIGKILL one of PostgreSQL's processes: it recovers as after a crash."""
        try:
            pids = self.backends()
        except DBAPIError:
            return
        if pids:
            os.kill(chance.choice(pids), signal.SIGKILL)
