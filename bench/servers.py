"""What the benchmarks stand on: PostgreSQL with its durable defaults, gunicorn, CPU meters."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

from rewards_service.embedded.redis_server import RedisServer
from rewards_service.kit.migrate import upgrade
from tests.postgres_server import PostgresServer, start_server

GUNICORN = ("-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket",
            "--log-level", "warning", "--keep-alive", "75")  # fmt: skip


@contextmanager
def database() -> Iterator[tuple[str, PostgresServer]]:
    """A migrated database on a server of its own, and that server."""
    server = start_server(durable=True)
    if server is None:
        raise SystemExit("The benchmarks need PostgreSQL: no server binaries and no wheel.")
    try:
        url = server.url("postgres")
        upgrade(url)
        yield url, server
    finally:
        server.stop()


@contextmanager
def queue(folder: Path) -> Iterator[str]:
    """An embedded Redis-protocol server; its URL."""
    url = f"unix://{folder}/redis.sock"
    with RedisServer(url, folder):
        yield url


@contextmanager
def web(module: str, port: int, environ: dict[str, str]) -> Iterator[psutil.Process]:
    """gunicorn serving `module:app`, ready; its process."""
    command = [sys.executable, "-m", "gunicorn", *GUNICORN, "-b", f"127.0.0.1:{port}"]
    # Its access log is written, as in production, and read by nobody.
    process = subprocess.Popen(
        [*command, f"{module}:app"], env={**os.environ, **environ}, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/livez")
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer.")


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process tree, children that ended included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    own = process.cpu_times()
    return total + own.children_user + own.children_system


def vacuum(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
    engine.dispose()
