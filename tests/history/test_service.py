"""What a backfill needs before it begins."""

import pytest

from rewards_service.connections.access import ApiKeyMissing
from rewards_service.history.models import Backfill
from rewards_service.history.service import NotLive, begin
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.builders.world import World
from tests.history.fetched import Fetcher


class TestBegin:
    def test_it_needs_a_key(self, world: World) -> None:
        with transaction(world.engine) as session, pytest.raises(ApiKeyMissing):
            begin(session, world.site.id, "test")

    @pytest.mark.parametrize("mode", ["observe", "off"])
    def test_it_needs_an_integration_that_takes_things_in(
        self, world: World, settings: Settings, mode: str
    ) -> None:
        Fetcher(world, settings, "http://127.0.0.1:1")
        world.switch(mode=mode)
        with transaction(world.engine) as session, pytest.raises(NotLive):
            begin(session, world.site.id, "test")

    def test_begun_twice_it_is_one(self, world: World, settings: Settings) -> None:
        fetcher = Fetcher(world, settings, "http://127.0.0.1:1")
        fetcher.begin()
        fetcher.begin()

        assert len(world.all(Backfill)) == 1
