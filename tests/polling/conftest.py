"""Simulated sites, and a service that is connected to one over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rewards_service.chargebee.operations import Chargebee
from rewards_service.integrations import service as integrations
from rewards_service.kit.clock import from_epoch
from rewards_service.kit.db import transaction
from rewards_service.polling.reading import PollReport, poll
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.delivery import body, due, settle
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import play
from rewards_service.simulator.server import SimulatorServer
from tests.builders.simulated import connected_to
from tests.builders.world import World
from tests.simulator.site_calls import Caller

START = datetime(2026, 1, 1, tzinfo=UTC)  # of every simulated site
STEPS = 60


class Sandbox:
    """A simulated site with an endpoint, and some weeks of business whose webhooks wait."""

    def __init__(self, seed: int = 7, steps: int = STEPS) -> None:
        self.caller = Caller(seed)
        self.caller.listen(send_card_resource="true")
        for _ in play(self.caller.site, steps):
            pass
        self.simulator = self.caller.simulator

    @property
    def now(self) -> datetime:
        return from_epoch(self.caller.site.now)

    def events(self) -> list[str]:
        """The ids in Chargebee's log, in its order."""
        return list(self.caller.site.tables["event"].rows)

    def webhooks(self) -> list[bytes]:
        """The bodies of all webhooks, in the order of what happened."""
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
def server() -> Iterator[SimulatorServer]:
    """A simulated site over HTTP whose clock is moved by hand; it sends no webhooks."""
    with SimulatorServer(port=0, speed=0, pumping=False) as running:
        yield running


@pytest.fixture
def connected(settings: Settings, server: SimulatorServer) -> Settings:
    """The settings of a service whose Chargebee is that server, without a limit."""
    return replace(settings, chargebee_api_base=server.url, chargebee_requests_per_minute=0)


def give_key(world: World, settings: Settings, key: str | None = KEY) -> None:
    with transaction(world.engine) as session:
        wanted = {"api_key": key}
        integrations.change_integration(session, settings, world.site.id, wanted, "test")
