"""What an acknowledged webhook costs beside a bare Flask route on the same gunicorn, same run."""

import socket
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from bench import load, servers, world
from rewards_service.inbox.models import ReceivedEvent

CONNECTIONS = 8
PATH = f"/webhooks/chargebee/{world.ENDPOINT}"
HEADERS = f"Authorization: Basic {world.BASIC}\r\n"


@dataclass
class Subject:
    """One server under load: figures of each round, per request in microseconds of CPU."""

    name: str
    web_us: list[float] = field(default_factory=list)
    database_us: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    def median(self, name: str) -> float:
        return statistics.median(getattr(self, name))

    @property
    def total_us(self) -> float:
        return self.median("web_us") + self.median("database_us")


def measure(rounds: int, seconds: float) -> tuple[Subject, Subject]:
    """(bare, ours), alternating A B B A; recorded events are counted afterwards."""
    bare, ours = Subject("bare Flask route"), Subject("acknowledged webhook")
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.database() as (url, server),
        servers.queue(Path(folder)) as redis_url,
    ):
        engine = create_engine(url)
        world.set_up(engine)
        environ = {
            "DATABASE_URL": url, "REDIS_URL": redis_url, "SECRET_KEY": world.SECRET_KEY,
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(), "LOG_FORMAT": "json",
        }  # fmt: skip
        postgres = psutil.Process(server.process.pid)
        sent = 0
        for number in range(rounds):
            order = [(bare, "bench.bare"), (ours, "wsgi")]
            for subject, module in order if number % 2 == 0 else reversed(order):
                sent += _round(subject, module, environ, postgres, seconds, f"{number}")
        _check(engine, sent)
        engine.dispose()
    return bare, ours


def _round(
    subject: Subject,
    module: str,
    environ: dict[str, str],
    postgres: psutil.Process,
    seconds: float,
    tag: str,
) -> int:
    """One round; how many events it recorded."""
    port = _free_port()
    with servers.web(module, port, environ) as process:
        warm = load.run(port, PATH, HEADERS, 1, CONNECTIONS, f"w{tag}")
        web, database = servers.cpu_seconds(process), servers.cpu_seconds(postgres)
        start = time.monotonic()
        done = load.run(port, PATH, HEADERS, seconds, CONNECTIONS, tag)
        took = time.monotonic() - start
        subject.web_us.append((servers.cpu_seconds(process) - web) / done * 1e6)
        spent = servers.cpu_seconds(postgres) - database
        subject.database_us.append(spent / done * 1e6 if module == "wsgi" else 0.0)
        subject.per_second.append(done / took)
    return warm + done if module == "wsgi" else 0


def _check(engine: object, sent: int) -> None:
    with Session(engine) as session:  # type: ignore[arg-type]
        recorded = session.scalar(select(func.count(ReceivedEvent.id)))
    if recorded != sent:
        raise SystemExit(f"{sent} events were acknowledged, {recorded} are recorded.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
