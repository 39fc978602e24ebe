"""Whatever order events arrive in, and wherever batches are cut, the books say the same.

Proves DOMAIN M15-M18, V10 and "the newest version wins" over short histories.
"""

import random
from itertools import islice, permutations

import pytest

from tests.builders.lanes import disagreements, run_orders
from tests.builders.world import World
from tests.webhooks.stories import STORIES

MOST_ORDERS = {"sqlite": 60, "postgresql": 8}


@pytest.mark.parametrize("step", [1, 2, 100])
@pytest.mark.parametrize("name", STORIES)
def test_every_order_gives_the_same_books(name: str, step: int, world: World) -> None:
    """DOMAIN M15-M18, A4, V3, V10."""
    story = STORIES[name]
    orders = list(permutations(range(len(story.history))))
    random.Random(name).shuffle(orders)  # noqa: S311 - a fixed choice
    some = islice(orders, MOST_ORDERS[world.engine.dialect.name] // (1 if step == 1 else 4))
    in_order = tuple(range(len(story.history)))
    found = run_orders(world, story.setup, story.history, dict.fromkeys([in_order, *some]), step)
    assert disagreements(found) == {}
    rewards: dict[str, int] = {}
    for row in found[in_order]["rewards"]:
        rewards[row[2]] = rewards.get(row[2], 0) + row[-1]
    assert rewards == story.earned
