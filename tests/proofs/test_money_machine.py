"""Sequences of whatever can happen to money, against a ledger that must add up after each step."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.orm import Session

from rewards_service.replay.service import replay
from tests.builders.world import World
from tests.proofs.machine_base import Place
from tests.proofs.machine_money import Money
from tests.proofs.machine_people import Decisions
from tests.proofs.report_rules import broken_reports

STEPS = 12


class MoneyMachine(Money, Decisions):
    """Everything that can happen to the money of a site."""


def finisher(replayed: int) -> Callable[[World], None]:
    """Looks at the world of a whole sequence: replays one of so many, and looks at the reports of
    one of eight; they take long."""
    numbers = count()

    def finish(world: World) -> None:
        """DOMAIN V10: the log, played again, gives the same; reports say what the ledger does."""
        number = next(numbers)
        if number % replayed == 0:
            assert replay(world.engine).differences == []
        if number % 8 == 0:
            with Session(world.engine) as session:
                assert broken_reports(session) == []

    return finish


def run(
    open_world: Callable[[], Place], sequences: int, shrink: bool = False, seed_: int = 0
) -> None:
    """Without `shrink` a failure shows at once, as it was found; with it, as short as can be,
    and every sequence is replayed instead of one of three."""
    finish = finisher(1 if shrink else 3)
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]

    @seed(seed_)
    def machine() -> MoneyMachine:
        return MoneyMachine(open_world, finish)

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            phases=phases,
        ),
    )


class TestMoneyMachine:
    """DOMAIN A4, A12, V1, V2, V3, V4, V8, V9, V10."""

    @pytest.mark.parametrize("half", [1, 2])  # each explores on its own, beside the other
    def test_many_sequences_on_sqlite(self, on_sqlite: Callable[[], Place], half: int) -> None:
        run(on_sqlite, 45, seed_=half)

    def test_ten_sequences_on_postgresql(self, on_postgres: Callable[[], Place]) -> None:
        run(on_postgres, 10, seed_=3)

    @pytest.mark.slow
    def test_two_thousand_sequences_on_sqlite(self, on_sqlite: Callable[[], Place]) -> None:
        run(on_sqlite, 2_000, shrink=True)

    @pytest.mark.slow
    def test_three_hundred_sequences_on_postgresql(self, on_postgres: Callable[[], Place]) -> None:
        run(on_postgres, 300, shrink=True)
