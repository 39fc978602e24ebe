import pytest

from tests.builders.world import World
from tests.reconciliation.shop import Shop


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)
