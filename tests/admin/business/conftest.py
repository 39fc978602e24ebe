"""A company with its books, on SQLite: what pages look like does not depend on the database."""

from pathlib import Path

import pytest

from tests.admin.business.books import Books, books
from tests.builders.world import World


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def company(world: World) -> Books:
    return books(world)
