import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.payouts.books import Books


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Books:
    return Books(engine, settings)
