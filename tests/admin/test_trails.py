"""The way of a payment, on each database: its queries are the pages' own."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy.orm import Session

from rewards_service.admin.business import trail
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.payouts import making
from rewards_service.payouts.models import Payout
from tests.builders.chargebee import paid
from tests.builders.world import World


class TestTrail:
    def test_it_leads_from_the_payment_to_the_payout(self, world: World, app: Flask) -> None:
        ann = world.partner("Ann")
        lead = world.lead("eve@buyer.example", ann)
        world.receive(paid("a", "cb_eve", "eve@buyer.example", 10_000, 1))
        world.settle("approved")
        with transaction(world.engine) as session:
            until = datetime.now(UTC).date() + timedelta(days=1)
            making.create(session, making.Wanted("USD", until, None, 0), "test")
        (payout,) = world.all(Payout)
        customer = world.customer_of("cb_eve")

        with Session(world.engine) as session, app.test_request_context():
            story = trail.story_of(session, customer.id)
            chain = trail.chain_of(session, story)
        assert [(line.amount_minor, line.payout_id) for line in story.rewards] == [
            (2_000, payout.id)
        ]
        assert all(there for *_, there in chain)
        told = " ".join(str(value) for _, value, *_ in chain)
        for prefix, key in (("txn", world.transaction_of("txn_a").id), ("pay", payout.id)):
            assert ids.encode(prefix, key) in told
        assert [one.id for one in story.leads] == [lead]
        assert "Ann" in told
