"""Whatever order events arrive in, and wherever batches are cut, the books say the same.

Proves DOMAIN M15-M18, V10 and "the newest version wins" over short histories.
"""

import random
from itertools import islice, permutations

import pytest

from tests.builders.lanes import disagreements, run_orders
from tests.builders.world import World
from tests.webhooks.stories import STORIES, Story

MOST_ORDERS = {"sqlite": 11, "postgresql": 5}


def check(story: Story, step: int, most: int, world: World) -> None:
    """Play a story in its own order and in others, at most so many; compare the books."""
    orders = list(permutations(range(len(story.history))))
    random.Random(step).shuffle(orders)  # noqa: S311 - a fixed choice
    in_order = tuple(range(len(story.history)))
    chosen = dict.fromkeys([in_order, *islice(orders, most)])
    found = run_orders(world, story.setup, story.history, chosen, step)
    assert disagreements(found) == {}
    rewards: dict[str, int] = {}
    for row in found[in_order]["rewards"]:
        rewards[row[2]] = rewards.get(row[2], 0) + row[-1]
    assert rewards == story.earned


@pytest.mark.parametrize("name", STORIES)
class TestOrders:
    """DOMAIN M15-M18, A4, V3, V10; `step`: how many events of each run share a batch."""

    def test_one_event_at_a_time(self, name: str, world: World) -> None:
        check(STORIES[name], 1, MOST_ORDERS[world.engine.dialect.name], world)

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("step", [2, 100])
    def test_batches_cut_anywhere(self, name: str, step: int, world: World) -> None:
        check(STORIES[name], step, 5, world)

    @pytest.mark.slow
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("step", [1, 3])
    def test_every_order_there_is(self, name: str, step: int, world: World) -> None:
        check(STORIES[name], step, 10_000, world)
