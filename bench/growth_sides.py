"""Two worlds of different size on one server, each with its service: what growth is measured on.

A slice that the service made is kept as a database of its own, from which each world is copied and
grown; a world that is there already is used as it stands.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from bench import scale, scale_slice, scale_world, servers, world
from bench.scale_client import Client
from rewards_service.accounts.service import create_key
from rewards_service.app import create_app
from rewards_service.kit.migrate import upgrade
from rewards_service.settings import load_settings

PORT = 8975


@dataclass
class Side:
    """One world: its database, an application over it, and how to reach its web processes."""

    rewards: int
    url: str
    engine: Engine
    app: Flask
    environ: dict[str, str]
    key: str
    port: int
    things: dict[str, Any]
    written: int = 0  # payments that were put on top of it

    @property
    def name(self) -> str:
        return f"{self.rewards:,}"

    def client(self) -> Client:
        return Client(self.key, self.port)


@contextmanager
def server(address: str | None) -> Iterator[URL]:
    """The server to build on: the one at `address`, else one of our own, gone afterwards."""
    if address:
        yield make_url(address)
        return
    with servers.database() as (url, _):
        yield make_url(url)


@contextmanager
def sides(
    at: URL, sizes: Sequence[int], slice_size: int, folder: Path
) -> Iterator[tuple[list[Side], psutil.Process]]:
    """A side for each size, and the server's process, whose CPU is counted."""
    admin = create_engine(at, isolation_level="AUTOCOMMIT")
    with ExitStack() as ends, admin.connect() as connection:
        ends.callback(admin.dispose)
        for size in sizes:
            _build(connection, at, size, slice_size)
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        redis = ends.enter_context(servers.queue(folder))
        found = [
            _side(_named(at, size, slice_size), size, redis, folder, PORT + number)
            for number, size in enumerate(sizes)
        ]
        for side in found:
            ends.callback(side.engine.dispose)
        yield found, psutil.Process(backend).parent() or psutil.Process(backend)


def _named(at: URL, size: int, slice_size: int) -> URL:
    return at.set(database=f"growth_{slice_size}_{size}")


def _build(admin: Connection, at: URL, size: int, slice_size: int) -> None:
    """The world of this size, from the slice, unless it is there."""
    source = at.set(database=f"growth_{slice_size}_slice")
    wanted = _named(at, size, slice_size)
    if _is_there(admin, wanted):
        upgrade(_spelled(wanted))
        return
    if not _is_there(admin, source):
        half = source.set(database=f"{source.database}_half")
        admin.execute(text(f"DROP DATABASE IF EXISTS {half.database}"))
        admin.execute(text(f"CREATE DATABASE {half.database}"))
        upgrade(_spelled(half))
        _with(half, lambda engine: scale_slice.make(engine, slice_size))
        admin.execute(text(f"ALTER DATABASE {half.database} RENAME TO {source.database}"))
    half = wanted.set(database=f"{wanted.database}_half")
    admin.execute(text(f"DROP DATABASE IF EXISTS {half.database}"))
    admin.execute(text(f"CREATE DATABASE {half.database} TEMPLATE {source.database}"))
    upgrade(_spelled(half))
    _with(half, lambda engine: scale_world.grow(engine, slice_size, size))
    admin.execute(text(f"ALTER DATABASE {half.database} RENAME TO {wanted.database}"))


def _is_there(admin: Connection, url: URL) -> bool:
    query = text("SELECT EXISTS (SELECT FROM pg_database WHERE datname = :name)")
    return bool(admin.execute(query, {"name": url.database}).scalar_one())


def _with(url: URL, work: Any) -> None:
    engine = create_engine(url)
    try:
        work(engine)
    finally:
        engine.dispose()


def _spelled(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _side(url: URL, size: int, redis: str, folder: Path, port: int) -> Side:
    own = folder / str(size)
    own.mkdir()
    environ = {
        "DATABASE_URL": _spelled(url), "REDIS_URL": redis, "VAR_DIR": str(own), "PORT": str(port),
        "BASE_URL": "https://bench.example", "SECRET_KEY": world.SECRET_KEY,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(), "LOG_FORMAT": "json",
    }  # fmt: skip
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        _, key = create_key(session, "bench", ["admin"], secret_key=world.SECRET_KEY)
    app = create_app(load_settings(environ))
    return Side(
        size, _spelled(url), engine, app, environ, key, port, scale._things(engine),
        written=_written(engine),
    )  # fmt: skip


def _written(engine: Engine) -> int:
    """Payments that earlier runs put on top of the world."""
    query = text("SELECT count(*) FROM leads WHERE email NOT LIKE '%-%'")
    with engine.connect() as connection:
        leads: int = connection.execute(query).scalar_one()
    return leads * 2
