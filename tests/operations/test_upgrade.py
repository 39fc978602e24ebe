"""A release is rolled out while events come in: old and new code side by side on one database."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text

from tests.cli.test_run import free_port
from tests.operations.business import events
from tests.operations.fleet import ROOT, Fleet, tree_of
from tests.operations.rehearsal import next_release
from tests.operations.rolling import Upgrade, roll
from tests.postgres_copies import PostgresTemplate

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PREVIOUS = os.environ.get("FROM") or PROJECT["tool"]["rewards"]["previous-release"]
# How long Chargebee may wait at most while a table changes: the limit of the lock, and some.
WORST_S = 6.0


@pytest.fixture
def engine(postgres_template: PostgresTemplate) -> Iterator[Engine]:
    """A database without any table: the previous release makes its own."""
    name = f"upgrade_{uuid4().hex}"
    with postgres_template.admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = create_engine(postgres_template.url(name))
    yield engine
    engine.dispose()
    postgres_template.drop(postgres_template.url(name))


@pytest.fixture
def upgrade(
    engine: Engine, redis_url: str, redis_connection: Redis, tmp_path: Path
) -> Iterator[Upgrade]:
    old = tree_of(PREVIOUS, tmp_path / "old")
    if old is None:
        pytest.skip(f"The history of this checkout does not hold {PREVIOUS}.")
    url = engine.url.render_as_string(hide_password=False)
    fleet = Fleet(url, redis_url, tmp_path)
    yield Upgrade(fleet, engine, old, next_release(tmp_path / "new"))
    fleet.close()


def prove(upgrade: Upgrade, redis_url: str, folder: Path, number: int, kills: int) -> None:
    play = events(number)
    slowest = roll(upgrade, redis_url, (free_port(), free_port()), play, kills)
    upgrade.finish(folder, play)
    assert upgrade.migrations_killed == kills
    assert max(slowest) < WORST_S
    print(f"{number} events; slowest answers {slowest[0]:.2f} s and {slowest[1]:.2f} s")


class TestUpgrade:
    def test_old_and_new_work_together_and_a_killed_migration_is_run_again(
        self, upgrade: Upgrade, redis_url: str, tmp_path: Path
    ) -> None:
        """Nothing is lost or doubled; a ring that only a later release knows costs nothing."""
        prove(upgrade, redis_url, tmp_path, 120, kills=1)

    @pytest.mark.slow
    def test_the_same_with_thousands_of_events(
        self, upgrade: Upgrade, redis_url: str, tmp_path: Path
    ) -> None:
        """`make upgrade-proof`."""
        prove(upgrade, redis_url, tmp_path, 3_000, kills=2)
