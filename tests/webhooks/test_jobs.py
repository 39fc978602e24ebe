"""Draining what is pending: batch after batch, rewards with them."""

from typing import Any

import pytest

from rewards_service.webhooks import jobs
from tests.builders.chargebee import at, paid
from tests.builders.world import World

ADA = "ada@one.example"


def test_rewards_follow_each_batch_while_events_keep_coming(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drain lasts as long as there are events: rewards that waited for its end would be late."""
    ann = world.partner()
    world.lead(ADA, ann, at(-10))
    world.accept(paid("p", "cb_1", ADA))
    earned: list[int] = []
    step = jobs._step

    def looked_at(*given: Any, **more: Any) -> int:
        earned.append(world.earned(ann))
        return step(*given, **more)

    monkeypatch.setattr(jobs, "_step", looked_at)
    jobs.drain(world.engine, batch=10)
    assert earned == [0, 0, 2_000, 2_000]
