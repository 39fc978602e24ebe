"""Reasons that lie outside the two sides: the connection, its options, time, the books."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import update

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.mirror.models import ChargebeeTransaction
from rewards_service.reconciliation import jobs, service
from rewards_service.reconciliation.models import Reconciliation
from rewards_service.replay.service import replay
from tests.builders.world import World
from tests.reconciliation.comparing import Opens, compared, give_key, shown
from tests.reconciliation.shop import Shop


class TestCircumstances:
    def test_what_is_older_than_the_list_of_events_is_fetched(
        self, world: World, shop: Shop
    ) -> None:
        shop.lose_all()
        payment = shop.pay(5_000)
        shop.simulator.site.tables["event"].rows.clear()
        shop.simulator.site.tables["event"].order.clear()
        give_key(world)
        later = utc_now() + timedelta(days=100)
        with transaction(world.engine) as session:
            run = service.take(session, service.ask(session, world.site.id, "t", repair=True).id)
        assert run is not None

        jobs.go_on(world.engine, Opens(shop.api), run, math.inf, later)

        found = shown(world, run.id)
        assert found.found == [(payment, "missing_here", "too_old", "fetch")]
        assert found.run.repaired == {"fetch": 1}
        world.drain()
        assert compared(world, shop.api).differences == []
        assert world.earned() == 1_000
        assert replay(world.engine, True, lambda _events: None).ok

    def test_a_site_that_only_observes_misses_what_it_was_not_to_keep(
        self, world: World, shop: Shop
    ) -> None:
        world.switch(mode="observe")
        shop.pay()

        assert [one[1:] for one in compared(world, shop.api).found] == [
            ("missing_here", "not_live", "nothing")
        ]

    def test_a_payment_before_its_lead_is_equal_with_a_word(self, world: World, shop: Shop) -> None:
        bob = shop.say("sign_up", email="bob@three.example")["customer_id"]
        shop.pay(900, bob)
        world.deal("bob@three.example", world.partner("Bea"), utc_now() - timedelta(minutes=55))
        shop.say("wait", seconds=600)
        shop.pay(900, bob)

        found = compared(world, shop.api)

        assert found.differences == []
        assert sum(found.run.notes.values()) == 1

    def test_what_is_older_than_the_connection_is_for_an_import(
        self, world: World, shop: Shop
    ) -> None:
        """Its rewards are posted on command only: a repair leaves it alone."""
        shop.lose_all()
        payment = shop.pay()

        found = compared(world, shop.api, repair=True, is_sandbox=False)

        assert found.found == [(payment, "missing_here", "before_connection", "backfill")]
        assert found.run.repaired == {}

    @pytest.mark.parametrize("is_sandbox", [True, False])
    def test_what_only_an_import_told_of_waits_to_be_posted(
        self, world: World, shop: Shop, is_sandbox: bool
    ) -> None:
        shop.lose_all("payment_succeeded")
        shop.pay()
        with transaction(world.engine) as session:
            session.execute(update(ReceivedEvent).values(source="backfill"))

        found = compared(world, shop.api, is_sandbox=is_sandbox)

        assert (found.differences, found.run.notes) == ([], {"not_posted": 1})


class TestBooks:
    def test_a_recorded_payment_that_is_not_as_mirrored_differs(
        self, world: World, shop: Shop
    ) -> None:
        payment = shop.pay()
        row = world.transaction_of(payment)
        with transaction(world.engine) as session:
            session.execute(
                update(type(row)).where(type(row).id == row.id).values(amount_minor=9_999)
            )

        assert compared(world, shop.api).found == [(payment, "different", "books_differ", "look")]

    def test_a_row_changed_by_hand_differs_at_the_same_version(
        self, world: World, shop: Shop
    ) -> None:
        payment = shop.pay()
        with transaction(world.engine) as session:
            session.execute(
                update(ChargebeeTransaction).values(amount_minor=1, body_sha256=b"x" * 32)
            )

        assert compared(world, shop.api).found == [(payment, "different", "same_version", "look")]


def test_a_comparison_is_made_by_one_at_a_time(world: World, shop: Shop) -> None:
    give_key(world)
    with transaction(world.engine) as session:
        first = service.take(session, service.ask(session, world.site.id, "test").id)
        second = service.take(session)
    assert first is not None
    assert second is None
    with transaction(world.engine) as session:
        session.execute(update(Reconciliation).values(lease_until=utc_now() - timedelta(seconds=1)))
        third = service.take(session)
    assert third is not None
    with pytest.raises(service.TakenOver):
        jobs.go_on(world.engine, Opens(shop.api), first, math.inf)
    assert jobs.go_on(world.engine, Opens(shop.api), third, math.inf)
