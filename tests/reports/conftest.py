from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.builders.world import World
from tests.reports import story as stories
from tests.reports.books import Books


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Iterator[Books]:
    """Books with nobody in them yet."""
    books = Books(engine, settings)
    yield books
    books.close()


@pytest.fixture
def story(world: World) -> World:
    """See `tests.reports.story`."""
    stories.tell(world)
    return world
