"""What the simulator says, the service takes: in any order, any number of times (V10)."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.reports.checks import run_checks
from rewards_service.reports.digest import sections
from rewards_service.settings import Settings
from rewards_service.simulator.delivery import body, due, settle
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import email_of, play
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.simulator.site_calls import Caller

STEPS = 300
REGISTERED = datetime(2025, 1, 1, tzinfo=UTC)  # before the simulated site's first day


def webhooks(seed: int) -> list[bytes]:
    """The bodies of every webhook of a play, in the order of what happened."""
    caller = Caller(seed)
    caller.listen()
    for _ in play(caller.site, STEPS):
        pass
    found = []
    for call in due(caller.site, Faults()):
        found.append(body(caller.site, call))
        settle(caller.site, call, True)
    return found


def make_people(world: World) -> None:
    """Partners who brought two of three payers, as leads or through deals."""
    ann, bea = world.partner("Ann"), world.partner("Bea")
    for number in range(1, 25):
        if number % 3 == 0:
            world.lead(email_of(number), ann, REGISTERED)
        elif number % 3 == 1:
            world.deal(email_of(number), bea, REGISTERED)


def wrong(engine: Engine) -> list[str]:
    """What the service put aside, and the checks that do not hold."""
    with Session(engine) as session:
        aside = session.execute(
            select(ReceivedEvent.event_type, ReceivedEvent.outcome, ReceivedEvent.error).where(
                ReceivedEvent.state != "done"
            )
        )
        broken = [check.id for check in run_checks(session) if check.violations]
        return [*(repr(tuple(row)) for row in aside), *broken]


def said(engine: Engine) -> dict[str, str]:
    with Session(engine) as session:
        return sections(session)


@pytest.fixture
def second(settings: Settings, sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """Another world, on a database of its own."""
    path = tmp_path / "second.db"
    shutil.copyfile(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    own = replace(settings, database_url=f"sqlite:///{path}")
    yield World(webhook_app(own), engine, own)
    engine.dispose()


class TestIntoService:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_mixed_and_doubled_it_comes_to_the_same_as_in_order(
        self, world: World, second: World, seed: int
    ) -> None:
        bodies = webhooks(seed)
        dice = Random(seed)  # noqa: S311 - an order, not a secret
        mixed = [*bodies, *dice.sample(bodies, len(bodies) // 5)]
        dice.shuffle(mixed)
        for runs, order in ((world, bodies), (second, mixed)):
            make_people(runs)
            for start in range(0, len(order), 50):
                runs.accept(*order[start : start + 50])
                runs.drain()

        assert wrong(world.engine) == wrong(second.engine) == []
        assert said(world.engine) == said(second.engine)
        assert len(world.entries()) >= 10
