"""Rewards as the API shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from rewards_service.kit.db import db
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World

PAYER = "eve@buyer.example"


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


class TestShown:
    def test_a_page_of_many_asks_the_database_as_often_as_one_of_one(
        self, api: Caller, world: World
    ) -> None:
        world.lead(PAYER, world.partner())
        world.receive(*(paid(str(n), "cb1", PAYER, 10_000) for n in range(12)))
        with api.client.application.app_context():
            engine = db.engine

        asked = {}
        for limit in (1, 10):
            api.get("/rewards", limit=limit)  # whose key notes that it was used
            with statements(engine) as asked[limit]:
                assert len(api.get("/rewards", limit=limit)["data"]) == limit

        read = [one for one in asked[10] if one.startswith("SELECT")]
        # The key, the rewards with their rules, their entries, their payments.
        assert len(read) == 4
        assert len(asked[1]) == len(asked[10])
