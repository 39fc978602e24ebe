from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.connections.office import Office, opened


@pytest.fixture
def office(settings: Settings, engine: Engine) -> Iterator[Office]:
    with opened(settings, engine) as office:
        yield office
