"""Rewards of 20.00 USD for payments of 100.00, and people of two roles who look at them."""

from pathlib import Path

import pytest

from rewards_service.kit import ids
from rewards_service.rewards.models import Reward
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.world import World

HOSTILE = "<b>Ann</b>\u202e & Co"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Pages are looked at on SQLite; what they read and do is proved on both elsewhere."""
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def money(world: World) -> World:
    """Three rewards of a partner whose name is not harmless."""
    partner = world.partner("Ann")
    for number in ("1", "2", "3"):
        email = f"ada{number}@customer.example"
        world.lead(email, partner)
        world.accept(paid(number, f"cb{number}", email))
    world.drain()
    return world


@pytest.fixture
def manager(enter: Enter) -> Visitor:
    return enter("manager")


@pytest.fixture
def finance(enter: Enter) -> Visitor:
    return enter("finance")


def reward_ids(world: World) -> list[str]:
    """Public ids of all rewards, the oldest first."""
    keys = sorted(row.id for row in world.all(Reward))
    return [ids.encode("rew", key) for key in keys]


def statuses(world: World) -> list[str]:
    rows = sorted(world.all(Reward), key=lambda row: row.id)
    return [row.status for row in rows]
