"""The event log fills what the webhook left open, whatever becomes of a reading on its way."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import create_engine

from rewards_service.chargebee.operations import Chargebee
from rewards_service.kit.clock import from_epoch
from rewards_service.polling.reading import PollReport, poll
from rewards_service.settings import Settings
from rewards_service.simulator.delivery import body, due, settle
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import play
from tests.builders.simulated import connected_to
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.simulator.site_calls import Caller
from tests.simulator.test_into_service import make_people, said, wrong

START = datetime(2026, 1, 1, tzinfo=UTC)  # of every simulated site
STEPS = 60


class Sandbox:
    """A simulated site with an endpoint and some weeks of business whose webhooks wait."""

    def __init__(self, seed: int = 7) -> None:
        self.caller = Caller(seed)
        self.caller.listen(send_card_resource="true")
        for _ in play(self.caller.site, STEPS):
            pass
        self.simulator = self.caller.simulator

    @property
    def now(self) -> datetime:
        return from_epoch(self.caller.site.now)

    def events(self) -> list[str]:
        """The ids in Chargebee's log, in its order."""
        return list(self.caller.site.tables["event"].rows)

    def webhooks(self) -> list[bytes]:
        found = []
        for call in due(self.caller.site, Faults()):
            found.append(body(self.caller.site, call))
            settle(self.caller.site, call, True)
        return found

    def read(self, world: World, site: Chargebee | None = None, **chosen: Any) -> PollReport:
        client = site or connected_to(self.simulator)
        chosen = {"beginning": START, "now": self.now, **chosen}
        return poll(world.engine, world.site.id, client, **chosen)


@pytest.fixture
def lossless(settings: Settings, sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """Another world, on a database of its own."""
    path = tmp_path / "lossless.db"
    shutil.copyfile(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    own = replace(settings, database_url=f"sqlite:///{path}")
    yield World(webhook_app(own), engine, own)
    engine.dispose()


class TestPoll:
    def test_with_webhooks_lost_doubled_and_mixed_up_the_books_are_those_of_a_run_without_loss(
        self, world: World, lossless: World
    ) -> None:
        """V10"""
        sandbox = Sandbox()
        bodies = sandbox.webhooks()
        dice = Random(5)  # noqa: S311 - an order, not a secret
        delivered = [one for one in bodies if dice.random() > 0.3]
        delivered += dice.sample(delivered, len(delivered) // 5)
        dice.shuffle(delivered)
        for runs, order in ((lossless, bodies), (world, delivered)):
            make_people(runs)
            runs.accept(*order)
            runs.drain()

        report = sandbox.read(world)
        world.drain()

        assert (report.complete, report.problem) == (True, None)
        lost = {json.loads(one)["id"] for one in bodies} - {
            json.loads(one)["id"] for one in delivered
        }
        assert set(report.new) == lost
        assert wrong(world.engine) == wrong(lossless.engine) == []
        assert said(world.engine) == said(lossless.engine)
