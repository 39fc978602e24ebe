import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from rewards_service.settings import Settings
from tests.builders.site import webhook_app
from tests.builders.world import World


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """For tests in which the kind of database has no part."""
    shutil.copyfile(sqlite_template, tmp_path / "rewards.db")
    return f"sqlite:///{tmp_path / 'rewards.db'}"


@pytest.fixture
def second(settings: Settings, sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """Another world, on a database of its own."""
    path = tmp_path / "second.db"
    shutil.copyfile(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    own = replace(settings, database_url=f"sqlite:///{path}")
    yield World(webhook_app(own), engine, own)
    engine.dispose()
