"""`rewards run`: the whole service in one command, on nothing but this machine."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click
import structlog

from rewards_service.cli.databases import migrated
from rewards_service.cli.main import Refused
from rewards_service.embedded.lock import AlreadyRunning, run_lock
from rewards_service.embedded.redis_server import RedisServer
from rewards_service.embedded.supervisor import Child, Supervisor
from rewards_service.kit import log, migrate
from rewards_service.kit.db import transaction
from rewards_service.settings import API_BASE_FILE, REDIS_URL_FILE, Settings, load_settings

logger = structlog.get_logger(__name__)

READY_SECONDS = 60.0
_PASSED_ON = ("VAR_DIR", "PORT", "BASE_URL")
_PASSED_ON_BY_NAME = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS")


class NotReady(click.ClickException):
    """The web process did not come up: exit status 1."""


class Beside:
    """What runs beside the service, from its first moment on; here nothing does."""

    def prepare(self, settings: Settings) -> None:
        """Called once, when the database is at the newest schema and nothing runs yet."""
        (settings.var_dir / API_BASE_FILE).unlink(missing_ok=True)  # there is no demo any more

    def children(self, settings: Settings) -> list[Child]:
        """Processes to look after with those of the service."""
        return []

    def look(self) -> None:
        """Called a few times a second while the service answers."""

    def welcome(self, settings: Settings) -> str:
        """What to tell once the service answers."""
        return _welcome(settings)


@click.command()
def run() -> None:
    """Start everything: database, queue, web, workers and scheduler. Ctrl-C stops all of it.

    What DATABASE_URL and REDIS_URL do not name runs embedded, with its files in VAR_DIR.
    """
    start_everything(Beside())


def start_everything(beside: Beside) -> None:
    """Run the service with what is to run beside it, until Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts its jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    os.umask(0o077)  # what is made in VAR_DIR is for its owner only
    settings = load_settings()
    log.configure(settings.log_format)
    with _held(settings):
        _check_port(settings)
        if settings.embedded_redis:
            settings = _with_free_redis_port(settings)
        with _redis(settings) as server:
            migrate.upgrade(settings.database_url)
            beside.prepare(settings)
            _supervise(settings, server, beside)
    click.echo("Stopped.")


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    try:
        with run_lock(settings.var_dir):
            yield
    except AlreadyRunning as error:
        raise Refused(error.detail) from error


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Refused(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). Stop "
                f"what uses it, or choose another: PORT={settings.port % 65535 + 1} make run"
            ) from error


def _with_free_redis_port(settings: Settings) -> Settings:
    """A loopback port noted by an earlier run may belong to another program by now."""
    if settings.redis_url.startswith("unix:"):
        return settings
    (settings.var_dir / REDIS_URL_FILE).unlink(missing_ok=True)
    return load_settings()


def _redis(settings: Settings) -> AbstractContextManager[RedisServer | None]:
    if not settings.embedded_redis:
        return nullcontext()
    return RedisServer(settings.redis_url, settings.var_dir)


def _supervise(settings: Settings, server: RedisServer | None, beside: Beside) -> None:
    children = [*_children(settings), *beside.children(settings)]
    supervisor = Supervisor(children, _environ(settings))
    deadline = time.monotonic() + READY_SECONDS
    ready = False

    def look() -> None:
        nonlocal ready
        if server is not None and not server.is_alive:
            logger.warning("The embedded Redis-protocol server ended; it starts again")
            server.start()
        if ready:
            beside.look()
        elif _is_live(settings):
            ready = True
            click.echo(beside.welcome(settings))
        elif time.monotonic() > deadline:
            raise NotReady(
                f"The web process did not answer within {READY_SECONDS:g} s; its last words are "
                "in the lines above."
            )

    supervisor.run(look)


def _environ(settings: Settings) -> dict[str, str]:
    """What the processes see: ours, and one fresh folder where all of them count."""
    counters = settings.var_dir / "metrics"
    shutil.rmtree(counters, ignore_errors=True)
    counters.mkdir(mode=0o700)
    return {"PROMETHEUS_MULTIPROC_DIR": str(counters), **os.environ, "PYTHONUNBUFFERED": "1"}


def _children(settings: Settings) -> list[Child]:
    python = [sys.executable, "-m"]
    program = [*python, "rewards_service"]
    configuration = "python:rewards_service.cli.gunicorn_settings"
    web = [*python, "gunicorn", "--config", configuration, "--no-control-socket"]
    return [
        Child("web", [*web, "rewards_service.cli.web:app"]),
        *(
            Child(f"worker {number + 1}", [*program, "worker"])
            for number in range(settings.workers)
        ),
        Child("scheduler", [*program, "scheduler"]),
    ]


def _is_live(settings: Settings) -> bool:
    connection = HTTPConnection(local_host(settings), settings.port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def local_host(settings: Settings) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104


def _welcome(settings: Settings) -> str:
    command = command_line()
    return f"""
The rewards service is running.

  Address        {settings.base_url}
  API            {settings.base_url}/api/docs
  Health         {settings.base_url}/readyz
  Kept in        {settings.var_dir}
{first_steps(settings)}
What to do next, in another terminal:

  {command} sandbox

It makes a sample integration, programme, rule, partner and lead, and prints the curl line that
posts a payment. Ctrl-C here stops everything.
"""


def first_steps(settings: Settings) -> str:
    """While there is no user: the link that makes the owner, fresh with each start."""
    from rewards_service.accounts import users

    with migrated(settings) as engine, transaction(engine) as session:
        if users.has_users(session):
            return ""
        link = users.make_link(session, settings, None, "cli")
    return f"""
Nobody can sign in yet. This link makes the owner; it works once, for a day:

  {link}
"""


def command_line() -> str:
    """How another terminal calls this program so that it finds this run."""
    return f"{_prefix()}{_program()}"


def _prefix() -> str:
    """What another terminal must set so that a command there finds this run."""
    plain = [f"{name}={os.environ[name]}" for name in _PASSED_ON if os.environ.get(name)]
    named = [f'{name}="${name}"' for name in _PASSED_ON_BY_NAME if os.environ.get(name)]
    return "".join(f"{setting} " for setting in [*plain, *named])


def _program() -> str:
    beside = Path(sys.executable).with_name("rewards")
    if not beside.exists():
        return f"{sys.executable} -m rewards_service"
    relative = os.path.relpath(beside)
    return str(beside) if relative.startswith("..") else relative
