"""A simulated site with a past, and a service that is connected to it and fetches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.connecting import connected
from rewards_service.history import preview, queries, service
from rewards_service.history.preview import Cost
from rewards_service.history.running import go_on
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations import service as integrations
from rewards_service.kit.db import transaction
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.history import make_history
from rewards_service.simulator.server import SimulatorServer
from tests.builders.chargebee import Json
from tests.builders.world import World

LONG = 600.0
MONEY = ("customer", "invoice", "transaction", "credit_note")


@contextmanager
def simulated(seed: int = 1, invoices: int = 0, **more: Any) -> Iterator[SimulatorServer]:
    """A simulator whose clock stands still and whose webhooks nobody sends."""
    with SimulatorServer(seed=seed, pumping=False, **more) as server:
        if invoices:
            make_history(server.site, invoices)
        yield server


class Fetcher:
    """What a person does about the history of a world's site. clock and sleep: of the client."""

    def __init__(
        self, world: World, settings: Settings, url: str, per_minute: int = 0, **clock: Any
    ) -> None:
        self.engine: Engine = world.engine
        self.id = world.site.id
        self.settings = replace(
            settings, chargebee_api_base=url, chargebee_requests_per_minute=per_minute
        )
        self._clock = clock
        self.set_key(KEY)

    def set_key(self, key: str) -> None:
        self._key = key
        with transaction(self.engine) as session:
            integrations.change_integration(
                session, self.settings, self.id, {"api_key": key}, "test"
            )

    def begin(self) -> None:
        with transaction(self.engine) as session:
            service.begin(session, self.id, "test")

    def pause(self) -> None:
        with transaction(self.engine) as session:
            service.pause(session, self.id, "test")

    def go_on(self, seconds: float = LONG, **more: Any) -> bool:
        connect = partial(connected, self.settings, "acme", self._key, **self._clock)
        return go_on(self.engine, lambda _integration: connect, seconds, **more)

    def fetch(self) -> Json:
        """Fetch all there is; how far it came."""
        self.begin()
        assert self.go_on()
        return self.shown()

    def start_posting(self) -> None:
        with transaction(self.engine) as session:
            service.begin_posting(session, self.id, "test")

    def post(self) -> None:
        self.start_posting()
        assert self.go_on()

    def cost(self) -> Cost:
        return preview.preview(self.engine, self.id)

    def shown(self) -> Json:
        with Session(self.engine) as session:
            return queries.shown(session, service.newest(session, self.id))

    def counted(self, name: str) -> dict[str, int]:
        """Of each list of money `listed`, `kept`, `refused` or `pages`, where there is any."""
        lists = self.shown()["lists"]
        return {one["kind"]: one[name] for one in lists if one["kind"] in MONEY and one[name]}

    def versions(self) -> int:
        """How many versions of objects of money are kept."""
        of_money = ChargebeeVersion.kind.in_(MONEY)
        query = select(func.count()).select_from(ChargebeeVersion).where(of_money)
        with Session(self.engine) as session:
            return session.execute(query).scalar_one()

    def log(self) -> list[tuple[str, str, str | None]]:
        """(type, source, outcome) of every event, in the order of the log."""
        event = ReceivedEvent
        query = select(event.event_type, event.source, event.outcome).order_by(event.id)
        with Session(self.engine) as session:
            return [tuple(row) for row in session.execute(query)]  # type: ignore[misc]
