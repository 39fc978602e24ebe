"""Rewards of 20.00 USD for payments of 100.00, and people of two roles who look at them."""

from pathlib import Path

import pytest

from rewards_service.kit import ids
from rewards_service.rewards.models import Reward
from tests.admin.conftest import Enter
from tests.admin.money.payouts import make
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.sqlite_copies import put

HOSTILE = "<b>Ann</b>\u202e & Co"


@pytest.fixture
def database_url(sqlite_template: Path, sqlite_path: Path) -> str:
    """Pages are looked at on SQLite; what they read and do is proved on both elsewhere.

    Always at the same place, so that all tests share one application.
    """
    return put(sqlite_template, sqlite_path)


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


@pytest.fixture
def due(money: World) -> World:
    """All three rewards are approved."""
    money.settle("approved")
    return money


@pytest.fixture
def place(finance: Visitor, due: World) -> str:
    """Where the one payout of them is, a draft of 60.00 USD."""
    return make(finance)


def reward_ids(world: World) -> list[str]:
    """Public ids of all rewards, the oldest first."""
    keys = sorted(row.id for row in world.all(Reward))
    return [ids.encode("rew", key) for key in keys]


def statuses(world: World) -> list[str]:
    rows = sorted(world.all(Reward), key=lambda row: row.id)
    return [row.status for row in rows]
