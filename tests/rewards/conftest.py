import pytest

from tests.builders.chargebee import paid
from tests.builders.world import World


@pytest.fixture
def books(world: World) -> World:
    """A reward of 20.00 for a payment of 100.00 by a partner's lead."""
    email = "ada@customer.example"
    world.lead(email, world.partner())
    world.receive(paid("1", "cb1", email))
    return world
