import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.outbound.office import Office


@pytest.fixture
def office(engine: Engine, settings: Settings) -> Office:
    return Office(engine, settings)
