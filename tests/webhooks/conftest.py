"""Worlds for the tests of the webhook endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from rewards_service.settings import load_settings
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.conftest import ENCRYPTION_KEY, SECRET_KEY


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> Iterator[World]:
    """One world for many bodies that must not be accepted."""
    path = tmp_path_factory.mktemp("shared") / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    given = {"DATABASE_URL": f"sqlite:///{path}", "REDIS_URL": "redis://127.0.0.1:9",
             "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY}  # fmt: skip
    settings = load_settings(given)
    engine = create_engine(settings.database_url)
    yield World(webhook_app(settings), engine, settings)
    engine.dispose()
