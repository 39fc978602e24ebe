"""Sequences of whatever can happen to money, against a ledger that must add up after each step."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.builders.whole import OwnWorld
from tests.builders.world import World
from tests.conftest import PostgresTemplate
from tests.proofs.machine_base import Place
from tests.proofs.machine_money import Money
from tests.proofs.machine_people import Decisions

STEPS = 12


class MoneyMachine(Money, Decisions):
    """Everything that can happen to the money of a site."""


def nothing(_world: World) -> None:
    return None


def run(open_world: Callable[[], Place], sequences: int, shrink: bool = False) -> None:
    """Without `shrink` a failure shows at once, as it was found; with it, as short as can be."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    run_state_machine_as_test(
        lambda: MoneyMachine(open_world, nothing),  # type: ignore[arg-type]
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            phases=phases,
        ),
    )


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
        postgres_template.drop(url)

    return open_world


class TestMoneyMachine:
    """DOMAIN A4, A12, V1, V2, V3, V4, V8, V9, V10."""

    def test_a_hundred_sequences_on_sqlite(self, on_sqlite: Callable[[], Place]) -> None:
        run(on_sqlite, 100)

    def test_thirty_sequences_on_postgresql(self, on_postgres: Callable[[], Place]) -> None:
        run(on_postgres, 30)

    @pytest.mark.slow
    def test_two_thousand_sequences_on_sqlite(self, on_sqlite: Callable[[], Place]) -> None:
        run(on_sqlite, 2_000, shrink=True)

    @pytest.mark.slow
    def test_three_hundred_sequences_on_postgresql(self, on_postgres: Callable[[], Place]) -> None:
        run(on_postgres, 300, shrink=True)
