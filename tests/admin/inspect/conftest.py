"""A site where everything happened, and people who look at it."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from rewards_service.settings import load_settings
from tests.admin.inspect import stories
from tests.admin.inspect.stories import Lived
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.conftest import ENCRYPTION_KEY, SECRET_KEY
from tests.sqlite_copies import put


@pytest.fixture(scope="session")
def lived_template(
    sqlite_template: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database after `stories.happen`: it is made once, and copied."""
    folder = tmp_path_factory.mktemp("lived")
    path = folder / "rewards.db"
    shutil.copyfile(sqlite_template, path)
    settings = load_settings(
        {
            "DATABASE_URL": f"sqlite:///{path}", "REDIS_URL": redis_url, "VAR_DIR": str(folder),
            "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY,
        }
    )  # fmt: skip
    app, engine = webhook_app(settings), create_engine(settings.database_url)
    stories.happen(World(app, engine, settings))
    app.extensions["rewards_webhooks"].close()
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return path


@pytest.fixture
def database_url(lived_template: Path, sqlite_path: Path) -> str:
    return put(lived_template, sqlite_path)


@pytest.fixture
def lived(engine: Engine) -> Lived:
    return Lived(engine)
