import shutil
from pathlib import Path

import pytest


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """For tests in which the kind of database has no part."""
    shutil.copyfile(sqlite_template, tmp_path / "rewards.db")
    return f"sqlite:///{tmp_path / 'rewards.db'}"
