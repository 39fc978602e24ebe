"""A simulated site with a past, and a service that is connected to it and fetches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.history import queries, service
from rewards_service.history.models import Backfill
from rewards_service.history.running import ConnectTo, go_on, to_chargebee
from rewards_service.integrations import service as integrations
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.server import SimulatorServer
from tests.builders.chargebee import Json

LONG = 600.0


@contextmanager
def simulated(seed: int = 1) -> Iterator[SimulatorServer]:
    """A simulator whose clock stands still and whose webhooks are sent by nobody."""
    with SimulatorServer(seed=seed, pumping=False) as server:
        yield server


class Fetcher:
    """One integration, and what a person does about its history."""

    def __init__(self, engine: Engine, settings: Settings, url: str, integration_id: int) -> None:
        self.engine = engine
        self.id = integration_id
        own = replace(settings, chargebee_api_base=url, chargebee_requests_per_minute=0)
        self.connect_to: ConnectTo = to_chargebee(own)
        with transaction(engine) as session:
            integrations.change_integration(session, own, self.id, {"api_key": KEY}, "test")

    def begin(self) -> int:
        with transaction(self.engine) as session:
            return service.begin(session, self.id, "test").id

    def go_on(self, seconds: float = LONG) -> bool:
        return go_on(self.engine, self.connect_to, seconds)

    def fetch(self) -> Json:
        self.begin()
        assert self.go_on()
        return self.shown()

    def post(self) -> None:
        with transaction(self.engine) as session:
            service.begin_posting(session, self.id, "test")
        assert self.go_on()

    def shown(self) -> Json:
        with Session(self.engine) as session:
            return queries.shown(session, service.newest(session, self.id))

    def row(self) -> Backfill:
        with Session(self.engine, expire_on_commit=False) as session:
            return service.newest(session, self.id)
