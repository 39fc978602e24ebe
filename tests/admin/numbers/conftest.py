"""Pages about numbers are looked at on SQLite; what they ask is proved on both by its own tests."""

from pathlib import Path

import pytest

from tests.sqlite_copies import put


@pytest.fixture
def database_url(sqlite_template: Path, sqlite_path: Path) -> str:
    return put(sqlite_template, sqlite_path)
