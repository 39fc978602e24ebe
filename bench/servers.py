"""What the benchmarks stand on: PostgreSQL with its durable defaults, gunicorn, CPU meters."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
    with postgres() as server:
        url = server.url("postgres")
        upgrade(url)
        yield url, server


@contextmanager
def postgres(**switches: str) -> Iterator[PostgresServer]:
    """A server with durable defaults and these switches besides."""
    server = start_server(durable=True, parent=None, host=None, **switches)
    if server is None:
        raise SystemExit("The benchmarks need PostgreSQL: no server binaries and no wheel.")
    try:
        yield server
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
    with serving([*gunicorn(port), f"{module}:app"], port, environ) as process:
        yield process


def gunicorn(port: int, python: str = sys.executable) -> list[str]:
    """The command of every subject that gunicorn serves, but for the application."""
    return [python, "-m", "gunicorn", *GUNICORN, "-b", f"127.0.0.1:{port}"]


@contextmanager
def serving(
    command: Sequence[str],
    port: int,
    environ: dict[str, str],
    folder: Path | None = None,
    log: Path | None = None,
) -> Iterator[psutil.Process]:
    """A web server of this command, ready: anything at all answers at its port."""
    with running(command, environ, folder, log) as process:
        _wait_for(f"http://127.0.0.1:{port}/livez")
        yield process


@contextmanager
def running(
    command: Sequence[str],
    environ: dict[str, str],
    folder: Path | None = None,
    log: Path | None = None,
) -> Iterator[psutil.Process]:
    """A process of this command until the end. Its access log is written, and read by nobody.

    log: where its standard error goes; ours otherwise.
    """
    with ExitStack() as ends:
        stderr = None if log is None else ends.enter_context(log.open("ab"))
        process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=folder,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server
                return
        except urllib.error.HTTPError:
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
