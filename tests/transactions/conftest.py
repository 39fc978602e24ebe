"""Who is there in the tests of payments."""

import pytest

from tests.builders.world import World

ADA = "ada@one.example"


@pytest.fixture
def ann(world: World) -> int:
    """A partner whose lead Ada is."""
    partner = world.partner("Ann")
    world.lead(ADA, partner)
    return partner
