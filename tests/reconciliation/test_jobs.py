"""Comparisons by night, in the background, and when Chargebee is away."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from rewards_service.connections.access import ApiKeyMissing
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.queue import DOORBELLS, RECONCILIATIONS
from rewards_service.reconciliation import jobs, service
from rewards_service.reconciliation.models import Reconciliation
from rewards_service.simulator.faults import Faults
from tests.builders.world import World
from tests.reconciliation.comparing import Opens, give_key
from tests.reconciliation.shop import Shop


def night(days: int, hour: int = 3) -> datetime:
    day = utc_now() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


class TestDrain:
    def test_each_site_is_compared_once_a_night(self, world: World, shop: Shop) -> None:
        shop.pay()
        give_key(world)
        for now in (night(2), night(2, 4), night(3, 1)):
            jobs.drain(world.engine, Opens(shop.api), now=now)

        found = world.all(Reconciliation)
        assert [(run.asked_by, run.state) for run in found] == [("nightly", "done")]
        assert found[0].counts["equal"] == 1
        assert found[0].from_at.date() == night(2 - service.NIGHTLY_DAYS).date()
        jobs.drain(world.engine, Opens(shop.api), now=night(3))
        assert len(world.all(Reconciliation)) == 2

    def test_without_a_key_there_is_nothing_to_do(self, world: World, shop: Shop) -> None:
        assert jobs.drain(world.engine, Opens(shop.api), now=night(2)) == 0
        with transaction(world.engine) as session, pytest.raises(ApiKeyMissing):
            service.ask(session, world.site.id, "test")

    def test_a_site_that_is_away_is_tried_again_later(self, world: World, shop: Shop) -> None:
        shop.pay()
        give_key(world)
        shop.simulator.faults = Faults(unavailable=1.0)
        with transaction(world.engine) as session:
            key = service.ask(session, world.site.id, "test").id
        jobs.drain(world.engine, Opens(shop.api))

        run = world.get(Reconciliation, key)
        assert (run.state, run.attempts) == ("running", 1)
        assert run.next_attempt_at > utc_now()
        with Session(world.engine) as session:
            assert service.take(session) is None
        shop.simulator.faults = Faults()
        with transaction(world.engine) as session:
            session.get_one(Reconciliation, key).next_attempt_at = utc_now() - timedelta(seconds=1)
        jobs.drain(world.engine, Opens(shop.api))

        run = world.get(Reconciliation, key)
        assert (run.state, run.error, run.counts["equal"]) == ("done", None, 1)

    def test_a_key_that_is_refused_ends_it(self, world: World, shop: Shop) -> None:
        give_key(world)
        with transaction(world.engine) as session:
            key = service.ask(session, world.site.id, "test").id
        shop.simulator._key = "another"
        jobs.drain(world.engine, Opens(shop.api))

        run = world.get(Reconciliation, key)
        assert run.state == "failed"
        assert "401" in run.error

    def test_a_job_may_name_it(self) -> None:
        name = "rewards_service.reconciliation.jobs.drain_reconciliations"
        assert DOORBELLS[RECONCILIATIONS] == name
