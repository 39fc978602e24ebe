"""What a simulated site says, the service takes: lost, doubled, mixed, and after an outage.

Whatever the webhooks did, one reading of Chargebee's event log afterwards brings the books to what
they are when each event comes once and in order (V10), and nothing differs from Chargebee.
"""

from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import from_epoch
from rewards_service.polling.reading import poll
from rewards_service.reports.checks import run_checks
from rewards_service.reports.digest import sections
from rewards_service.simulator.api import Simulator
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import email_of, play
from rewards_service.simulator.runner import Call, Runner
from rewards_service.simulator.site import Site
from tests.builders.simulated import connected_to
from tests.builders.world import World
from tests.reconciliation.comparing import compared

STEPS, FEWER = 300, 100
REGISTERED = datetime(2025, 1, 1, tzinfo=UTC)  # before the simulated site's first day
LOSSES = Faults(drop=0.1, duplicate=0.2, reorder=0.5, reorder_s=86_400)
SEEDS = range(1, 201)


class Service:
    """The service as the site's webhooks meet it; it is down between two steps of the play."""

    def __init__(self, world: World, down: range) -> None:
        self.world, self.down, self.step = world, down, 0

    def __call__(self, call: Call) -> int | None:
        if self.step in self.down:
            return None
        return self.world.site.post(call.body).status_code


def make_people(world: World) -> None:
    """Partners who brought two of three payers, as leads or through deals."""
    ann, bea = world.partner("Ann"), world.partner("Bea")
    for number in range(1, 25):
        if number % 3 == 0:
            world.lead(email_of(number), ann, REGISTERED)
        elif number % 3 == 1:
            world.deal(email_of(number), bea, REGISTERED)


def run(world: World, seed: int, steps: int, faults: Faults, down: range) -> Runner:
    """Play, each webhook sent when it is due; retries that are due after the end never come."""
    make_people(world)
    service = Service(world, down)
    simulator = Simulator(Site(seed), lambda: 0.0)
    simulator.faults = faults
    runner = Runner(simulator, service, lambda: 0.0)
    runner.listen("https://rewards.example/hook", "rewards", "secret")
    for service.step, _ in enumerate(play(simulator.site, steps), 1):
        runner.pump()
        if service.step % 50 == 0 and service.step not in down:
            world.drain()
    world.drain()
    return runner


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


def prove(world: World, second: World, seed: int, steps: int = STEPS) -> None:
    """The proof for one seed: `world` meets losses and an outage, `second` does not."""
    sixth = steps // 6
    out_at = Random(seed).randrange(sixth, 4 * sixth)  # noqa: S311 - an outage, not a secret
    runner = run(world, seed, steps, LOSSES, range(out_at, out_at + sixth))
    run(second, seed, steps, Faults(), range(0))
    missed = len(second.all(ReceivedEvent)) - len(world.all(ReceivedEvent))
    site = connected_to(runner.simulator)

    report = poll(
        world.engine, world.site.id, site, from_epoch(runner.simulator.site.now),
        beginning=REGISTERED,
    )  # fmt: skip
    world.drain()

    assert report.complete
    assert len(report.new) == missed > steps // 10
    assert wrong(world.engine) == wrong(second.engine) == []
    assert said(world.engine) == said(second.engine)
    assert len(world.entries()) >= steps // 30
    comparison = compared(world, site)
    assert [*comparison.found, *(one["differences"] for one in comparison.differences)] == []
    assert comparison.run.counts["equal"] > steps // 10
    assert all(line["difference_minor"] == 0 for line in comparison.run.sums)


class TestIntoService:
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("seed", SEEDS[:10])
    def test_after_losses_one_poll_brings_the_books_of_a_run_without(
        self, world: World, second: World, seed: int
    ) -> None:
        """DOMAIN V10: whatever was lost, doubled, mixed or met a service that was down."""
        prove(world, second, seed, FEWER)

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_on_both_databases_alike(self, world: World, second: World) -> None:
        """DOMAIN V10: losses on PostgreSQL, none on SQLite."""
        prove(world, second, SEEDS[0], FEWER)

    @pytest.mark.slow
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("seed", SEEDS)
    def test_two_hundred_times(self, world: World, second: World, seed: int) -> None:
        """DOMAIN V10, the long form: `make loss-proof`."""
        prove(world, second, seed)
