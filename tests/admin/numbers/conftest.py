"""Pages about numbers are looked at on SQLite; what they ask is proved on both by its own tests."""

from pathlib import Path

import pytest


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"
