"""What events refer to and nobody brought is fetched after a quarter of an hour (M15)."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from rewards_service.chargebee.errors import Unavailable
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.reconciliation import jobs, parents
from rewards_service.replay.service import replay
from rewards_service.simulator.faults import Faults
from tests.builders.world import World
from tests.reconciliation.comparing import Opens, compared, give_key
from tests.reconciliation.shop import Shop


def look(world: World, shop: Shop, minutes: float) -> int:
    now = utc_now() + timedelta(minutes=minutes)
    made, goes_on = parents.look(world.engine, shop.api, world.site.id, now)
    assert not goes_on
    world.drain()
    return made


class TestLook:
    def test_a_parked_refund_gets_its_payment_after_a_quarter_of_an_hour(
        self, world: World, shop: Shop
    ) -> None:
        """DOMAIN M15: and not before; then the books are as if nothing had been lost."""
        invoice = shop.bill()
        shop.lose_all()
        shop.say("pay", invoice_id=invoice)
        shop.lose = lambda event: event["event_type"] != "payment_refunded"
        refund = shop.say("refund", invoice_id=invoice, amount=4_000)
        told = next(e for e in world.all(ReceivedEvent) if e.event_type == "payment_refunded")
        assert told.outcome == "parked_missing_parent"

        assert look(world, shop, 14) == 0
        assert world.earned() == 0
        assert look(world, shop, 16) == 1

        assert world.outcome(told.event_id) == "reversed"
        assert world.earned() == 1_200
        assert refund["amount"] == 4_000
        assert replay(world.engine, True, lambda _events: None).ok
        assert look(world, shop, 60) == 0

    def test_a_credit_note_gets_its_invoice_and_what_paid_that(
        self, world: World, shop: Shop
    ) -> None:
        shop.lose_all()
        invoice = shop.bill()
        shop.say("pay", invoice_id=invoice, amount=6_000)
        shop.lose = lambda event: event["event_type"] != "credit_note_created"
        shop.say("write_off", invoice_id=invoice)

        assert look(world, shop, 16) == 2

        assert world.earned() == 1_200
        assert compared(world, shop.api).differences == []

    def test_a_payment_gets_the_invoices_it_names(self, world: World, shop: Shop) -> None:
        """DOMAIN M18: its share waits until the invoice is known, and earns then."""
        shop.lose_all()
        invoices = [shop.bill(1_000), shop.bill(2_000)]
        shop.lose = lambda event: event["event_type"] != "payment_succeeded"
        shop.say("pay_many", invoice_ids=invoices)
        assert world.earned() == 200

        assert look(world, shop, 16) == 1
        assert world.earned() == 600

    def test_what_chargebee_does_not_have_is_passed_over(self, world: World, shop: Shop) -> None:
        invoice = shop.bill()
        shop.lose_all()
        payment = shop.say("pay", invoice_id=invoice)["transaction_id"]
        shop.lose_nothing()
        shop.say("refund", invoice_id=invoice, amount=1)
        table = shop.simulator.site.tables["transaction"]
        table.order = [item for item in table.order if item[1] != payment]
        table.orders.clear()
        del table.rows[payment]

        assert look(world, shop, 16) == 0

    def test_an_unknown_payer_is_not_asked_for_again(self, world: World, shop: Shop) -> None:
        bob = shop.say("sign_up", email="bob@nobody.example")["customer_id"]
        invoice = shop.bill(500, bob)
        shop.say("pay", invoice_id=invoice)
        shop.say("refund", invoice_id=invoice, amount=1)
        asked = shop.simulator.site.counters.get("request", 0)

        assert look(world, shop, 16) == 0
        assert shop.simulator.site.counters.get("request", 0) == asked

    def test_while_chargebee_is_away_nothing_is_passed_over(self, world: World, shop: Shop) -> None:
        invoice = shop.bill()
        shop.lose_all()
        shop.say("pay", invoice_id=invoice)
        shop.lose_nothing()
        shop.say("refund", invoice_id=invoice, amount=1)
        shop.simulator.faults = Faults(unavailable=1.0)
        with pytest.raises(Unavailable):
            look(world, shop, 16)
        shop.simulator.faults = Faults()

        assert look(world, shop, 16) == 1


class TestDue:
    def test_every_minute_for_live_sites_with_a_key(self, world: World, shop: Shop) -> None:
        soon = utc_now() + timedelta(minutes=2)

        def due(minutes: int = 0) -> list[int]:
            with Session(world.engine) as session:
                return parents.due(session, soon + timedelta(minutes=minutes))

        assert due() == []
        give_key(world)
        assert due() == [world.site.id]
        jobs.drain(world.engine, Opens(shop.api), now=soon)
        assert due() == []
        assert due(1) == [world.site.id]
        world.switch(mode="off")
        assert due(2) == []
