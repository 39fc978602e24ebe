"""A site that is connected, seen through the pages, and a simulated Chargebee to ask."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from rewards_service.app import create_app
from rewards_service.integrations.service import create_integration
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from rewards_service.simulator.server import SimulatorServer
from tests.admin.visitor import Visitor, make_user
from tests.sqlite_copies import put


@pytest.fixture
def database_url(sqlite_template: Path, sqlite_path: Path) -> str:
    """For tests in which the kind of database has no part; at one place, as the application is."""
    return put(sqlite_template, sqlite_path)


@pytest.fixture
def here(engine: Engine, settings: Settings) -> str:
    """The address of the site acme-test."""
    with transaction(engine) as session:
        made, _ = create_integration(session, settings, {"site": "acme-test"}, "test")
        return f"/integrations/{ids.encode('int', made.id)}"


class Watch:
    """The clock of the simulated Chargebee, which it looks at whenever it is asked something."""

    def __init__(self) -> None:
        self.look: Callable[[], int] | None = None
        self.seen: list[int] = []

    def __call__(self) -> float:
        if self.look is not None:
            self.seen.append(self.look())
        return time.monotonic()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def chargebee(watch: Watch) -> Iterator[SimulatorServer]:
    """A site whose clock stands still and whose webhooks nobody sends."""
    with SimulatorServer(pumping=False, clock=watch) as server:
        server.runner.say("stock", {})
        server.runner.simulator.limit.set(100_000)  # looks at the clock, refuses nothing
        yield server


@pytest.fixture
def there(settings: Settings, chargebee: SimulatorServer) -> Settings:
    """The settings of a service that asks the simulated Chargebee."""
    return replace(settings, chargebee_api_base=chargebee.url, chargebee_requests_per_minute=0)


@pytest.fixture
def service(there: Settings) -> Flask:
    return create_app(there)


@pytest.fixture
def boss(service: Flask, there: Settings, engine: Engine) -> Visitor:
    """An owner of that service."""
    person = Visitor(service, there)
    assert person.sign_in(make_user(engine, there)).status_code == 302
    return person
