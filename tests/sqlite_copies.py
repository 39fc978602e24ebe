"""Copies of a migrated SQLite database: made in no time, and at one place for many tests."""

import shutil
from pathlib import Path


def put(template: Path, path: Path) -> str:
    """The URL of a fresh copy of `template` at `path`, where an older one may have been.

    At the same place each time, it is for all tests the database of the same application: to make
    that takes longer than most tests.
    """
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"
