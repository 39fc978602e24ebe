"""The budget is used, and never overdrawn: `python -m bench.backfill --limit` is the long form."""

from dataclasses import replace

import pytest

from rewards_service.kit import rate
from rewards_service.settings import Settings
from tests.builders.world import World
from tests.history.fetched import Fetcher, simulated
from tests.peers.fake_time import FakeTime


class TestBudget:
    LIMIT = 25

    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url

    def test_most_of_the_limit_is_used_and_nothing_is_refused(
        self, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        time = FakeTime()
        monkeypatch.setattr(rate, "_locals", {})  # of other tests, by the clock of the machine
        with simulated(invoices=1_900, clock=time.clock) as server:
            limit = server.runner.simulator.limit
            limit.set(self.LIMIT)
            limit._left = 1.0  # as after a minute of others
            # Without Redis a process takes a quarter: here it is to have all.
            alone = replace(settings, redis_url="unix:///nowhere/redis.sock")
            fetcher = Fetcher(
                world, alone, server.url, self.LIMIT * 4, clock=time.clock, sleep=time.sleep
            )
            fetcher.begin()
            fetcher.go_on(at_once=1)

        pages = sum(one["pages"] for one in fetcher.shown()["lists"])
        assert fetcher.shown()["state"] == "done"
        assert pages >= self.LIMIT * time.now / 60 * 0.9
        assert limit.refused <= pages * 0.01
