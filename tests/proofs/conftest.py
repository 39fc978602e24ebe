"""Fresh worlds, as many as a proof needs: each on a database of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.builders.whole import OwnWorld
from tests.builders.world import World
from tests.postgres_copies import PostgresTemplate
from tests.proofs.machine_base import Place

# Failed assertions of the machine say what they compared, as those of tests do.
pytest.register_assert_rewrite("tests.proofs.machine_people", "tests.proofs.paying")


@pytest.fixture
def on_sqlite(sqlite_template: Path, tmp_path: Path) -> Callable[[], Place]:
    """Opens a world on a fresh file each time."""
    numbers = count()

    @contextmanager
    def open_world() -> Iterator[World]:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copyfile(sqlite_template, path)
        with OwnWorld(f"sqlite:///{path}") as world:
            yield world
        for file in tmp_path.glob(f"{path.name}*"):
            file.unlink()

    return open_world


@pytest.fixture
def on_postgres(postgres_template: PostgresTemplate) -> Callable[[], Place]:
    """Opens a world on a fresh database each time."""

    @contextmanager
    def open_world() -> Iterator[World]:
        url = postgres_template.create()
        with OwnWorld(url) as world:
            yield world
        postgres_template.release(url)

    return open_world
