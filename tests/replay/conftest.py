from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.replay.office import Office


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Iterator[Office]:
    """Books of a shop, and the people who decide about them."""
    office = Office(engine, settings)
    yield office
    office.close()
