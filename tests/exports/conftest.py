"""Partners to export, and a worker that does it."""

import pytest
from flask import Flask

from rewards_service.exports import jobs
from rewards_service.exports.making import Maker
from tests.builders.world import World
from tests.exports.asking import Work


@pytest.fixture
def work(app: Flask) -> Work:
    """What a worker does once it is rung."""

    def drain() -> int:
        with app.app_context():
            maker = Maker()
        return jobs.drain(maker)

    return drain


@pytest.fixture
def partners(world: World) -> World:
    for name in ("Ann", "Bob", "Cy"):
        world.partner(name)
    return world
