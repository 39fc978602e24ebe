"""What the tests stand on: real databases, a real queue, the real application."""

import gc
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from rewards_service.embedded.redis_server import RedisServer
from rewards_service.kit.db import db
from rewards_service.kit.migrate import upgrade
from rewards_service.settings import Settings, load_settings
from tests import dear_first
from tests.postgres_copies import PostgresTemplate
from tests.postgres_server import UNAVAILABLE, start_server
from tests.sqlite_copies import put
from tests.surroundings import set_up, spare_the_collector

if TYPE_CHECKING:
    from tests.builders.api import Caller
    from tests.builders.world import World

SECRET_KEY = "a key for tests only, long enough"
ENCRYPTION_KEY = Fernet.generate_key().decode()

set_up()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    order = dear_first.deal([item.nodeid for item in items], workers)
    items[:] = [items[place] for place in order]


def pytest_collection_finish() -> None:
    spare_the_collector()


@pytest.fixture(scope="session")
def postgres_admin_url() -> Iterator[str]:
    """A database on a PostgreSQL that may create others: TEST_DATABASE_URL, or one started here."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        surroundings = {"DATABASE_URL": given, "REDIS_URL": "redis://unused"}
        keys = {"SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY}
        yield load_settings(surroundings | keys).database_url
        return
    server = start_server()
    if server is None:
        pytest.skip(UNAVAILABLE)
    yield server.url("postgres")
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_admin_url: str) -> Iterator[PostgresTemplate]:
    admin = create_engine(postgres_admin_url, isolation_level="AUTOCOMMIT")
    template = PostgresTemplate(admin, f"template_{uuid4().hex}")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {template.name}"))
    upgrade(template.url(template.name))
    yield template
    template.drop_all()
    admin.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated, empty SQLite database."""
    path = tmp_path_factory.mktemp("template") / "rewards.db"
    upgrade(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # a checkpoint needs to be outside a transaction
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test of this process finds its SQLite database: a file of its own every time."""
    return tmp_path_factory.mktemp("database") / "rewards.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, sqlite_path: Path) -> Iterator[str]:
    """A migrated, empty database of this test alone, on each of the two kinds."""
    if request.param == "sqlite":
        yield put(request.getfixturevalue("sqlite_template"), sqlite_path)
        return
    template: PostgresTemplate = request.getfixturevalue("postgres_template")
    url = template.create()
    yield url
    template.release(url)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis-protocol server of this test process alone."""
    folder = tmp_path_factory.mktemp("redis")
    url = load_settings({"VAR_DIR": str(folder)}).redis_url
    with RedisServer(url, folder):
        yield url


@pytest.fixture
def redis_connection(redis_url: str) -> Iterator[Redis]:
    """A connection to that server, emptied for this test."""
    connection = Redis.from_url(redis_url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture
def var_dir(sqlite_path: Path) -> Path:
    """The folder of a test's installation: at the same place, and empty, each time."""
    folder = sqlite_path.parent / "var"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@pytest.fixture
def settings(database_url: str, redis_url: str, var_dir: Path) -> Settings:
    return load_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(var_dir),
            "BASE_URL": "https://rewards.example.com",
            "SECRET_KEY": SECRET_KEY,
            "ENCRYPTION_KEYS": ENCRYPTION_KEY,
            # Tests ask more often than anybody, and share what counts requests.
            "API_REQUESTS_PER_MINUTE": "0",
            "API_REQUESTS_PER_MINUTE_WITHOUT_KEY": "0",
            "ARGON2_MEMORY_KIB": "64",
        }
    )


_engines: dict[str, Engine] = {}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine of the test's database, without connections but with the statements it knows:
    to compile them anew for each test would be a quarter of all the time."""
    if database_url not in _engines:
        _engines[database_url] = create_engine(database_url)
    yield _engines[database_url]
    _engines[database_url].dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Committed by nobody but the test. SQLite has one writer: commit before using `client`."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


_apps: dict[Settings, Flask] = {}
_served = count(1)
_COLLECT_EVERY = 100  # tests: answers that nobody read to their end hold files until then


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, without connections: to make it anew takes longer than most tests.

    Who adds routes to it makes one of his own.
    """
    from rewards_service.app import create_app
    from rewards_service.reports import ops_routes

    if settings not in _apps:
        _apps[settings] = create_app(settings)
        spare_the_collector()
    made = _apps[settings]
    ops_routes.init_app(made)  # metrics are the process's: they tell of the newest application
    _disconnect(made)  # whoever asked for metrics in between had connections made
    yield made
    _disconnect(made)
    if next(_served) % _COLLECT_EVERY == 0:
        gc.collect()


def _disconnect(app: Flask) -> None:
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
    app.extensions["rewards_webhooks"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def api(app: Flask, settings: Settings) -> "Caller":
    """A caller of the whole application's /api/v1 with a key that may do everything."""
    from tests.builders.api import Caller

    return Caller(app, settings)


@pytest.fixture
def world(engine: Engine, settings: Settings) -> "World":
    """A connected site on an otherwise empty database; see `tests.builders.world`."""
    from tests.builders.site import webhook_app
    from tests.builders.world import World

    return World(webhook_app(settings), engine, settings)


@pytest.fixture
def second(settings: Settings, sqlite_template: Path, tmp_path: Path) -> "Iterator[World]":
    """Another world, on an SQLite of its own: to come to the same by another way."""
    from tests.builders.site import webhook_app
    from tests.builders.world import World

    own = replace(settings, database_url=put(sqlite_template, tmp_path / "second.db"))
    engine = create_engine(own.database_url)
    yield World(webhook_app(own), engine, own)
    engine.dispose()
