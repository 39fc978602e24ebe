"""The ground that all subjects of a run stand on: one PostgreSQL, one queue, meters of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from cryptography.fernet import Fernet
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from bench import servers, world
from tests.postgres_server import PostgresServer


@dataclass
class Ground:
    """A PostgreSQL with durable defaults, a Redis-protocol server, and a folder for the run."""

    server: PostgresServer
    redis_url: str
    folder: Path
    _key: str = field(default_factory=lambda: Fernet.generate_key().decode())

    @property
    def postgres(self) -> psutil.Process:
        return psutil.Process(self.server.process.pid)

    def make_database(self, name: str, template: str = "template0") -> str:
        """A new database, or a copy of another one that nobody is connected to; its address."""
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.server.url(name)

    def drop_database(self, name: str) -> None:
        self.say(f"DROP DATABASE {name}")

    def environ(self, url: str) -> dict[str, str]:
        """Settings of our service on this database."""
        return {
            "DATABASE_URL": url, "REDIS_URL": self.redis_url, "VAR_DIR": str(self.folder),
            "BASE_URL": "https://bench.example", "SECRET_KEY": world.SECRET_KEY,
            "ENCRYPTION_KEYS": self._key, "LOG_FORMAT": "json",
        }  # fmt: skip

    def clear_queue(self) -> None:
        with Redis.from_url(self.redis_url) as client:
            client.flushall()

    def queue_cpu_seconds(self) -> float:
        with Redis.from_url(self.redis_url) as client:
            used = client.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    def settings(self, *names: str) -> dict[str, str]:
        """What PostgreSQL has for these settings."""
        engine = create_engine(self.server.url("postgres"))
        with engine.connect() as connection:
            found = {n: connection.execute(text(f"SHOW {n}")).scalar_one() for n in names}
        engine.dispose()
        return found

    def say(self, statement: str) -> None:
        """One statement to the server, in no transaction."""
        engine = create_engine(self.server.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def ground(**switches: str) -> Iterator[Ground]:
    """Fresh servers; switches: of PostgreSQL, besides its durable defaults."""
    with (
        TemporaryDirectory() as folder,
        servers.postgres(**switches) as server,
        servers.queue(Path(folder)) as redis_url,
    ):
        yield Ground(server, redis_url, Path(folder))


def socket_of(url: str) -> dict[str, str]:
    """Database, user and folder of the socket, for peers that are told them one by one."""
    parts = make_url(url)
    return {
        "PEER_DATABASE": parts.database or "", "PEER_USER": parts.username or "",
        "PEER_HOST": str(parts.query["host"]),
    }  # fmt: skip
