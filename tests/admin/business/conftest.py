"""A company with its books, on SQLite: what pages look like does not depend on the database."""

from pathlib import Path

import pytest

from tests.admin.business.books import Books, books
from tests.builders.world import World
from tests.sqlite_copies import put


@pytest.fixture
def database_url(sqlite_template: Path, sqlite_path: Path) -> str:
    return put(sqlite_template, sqlite_path)


@pytest.fixture
def company(world: World) -> Books:
    return books(world)
