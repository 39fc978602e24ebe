"""Observe mode: what would have happened is shown, and nothing else is written."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import Base
from rewards_service.rewards import service as rewards
from rewards_service.webhooks import processing
from tests.builders.api import Caller
from tests.builders.chargebee import event, invoice, paid, refunded
from tests.builders.world import World
from tests.webhooks.deciding import event_path, public, replay

ADA = "ada@one.example"


def rows(world: World) -> dict[str, int]:
    """How many rows each table holds, but for the events themselves."""
    with Session(world.engine) as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Base.metadata.tables.items()
            if name != "received_events"
        }


def observed(world: World, event_id: str) -> Any:
    found = world.event(event_id)
    assert (found.state, found.outcome) == ("done", "observed")
    return (found.results or {})["observed"]


class TestObserve:
    def test_a_payment_shows_all_it_would_have_done(self, world: World, api: Caller) -> None:
        """DOMAIN V11: outcome `observed`; nothing but the event is written."""
        ann = world.partner("Ann")
        lead, deal = world.lead(ADA, ann), world.deal(ADA)
        world.switch(mode="observe")
        before = rows(world)
        world.receive(paid("p", "cb_1", ADA))

        assert rows(world) == before
        assert observed(world, "ev_p") == {
            "outcome": "transaction_recorded",
            "lead_id": lead,
            "deal_ids": [deal],
            "customer": "new",
            "transaction": {
                "chargebee_transaction_id": "txn_p", "amount_minor": 10_000, "currency": "USD",
            },
            "rewards": [
                {"partner_id": ann, "amount_minor": 2_000, "currency": "USD",
                 "chargebee_invoice_id": "inv_p"},
            ],
        }  # fmt: skip
        shown = api.get(event_path(world, "ev_p"))["results"]["observed"]
        assert shown["lead_id"] == public("led", lead)
        assert shown["rewards"][0]["partner_id"] == public("par", ann)

    def test_it_is_told_against_the_books_as_they_are(self, world: World, api: Caller) -> None:
        """DOMAIN V11: a known customer, a refund of what is recorded, and reasons for nothing."""
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_9", "nobody@one.example"))
        customer = world.customer_of("cb_1").id
        world.person("eve@one.example")
        world.switch(mode="observe")
        before = world.entries()
        world.receive(
            refunded("r", "txn_p", 5_000, 1),
            paid("s", "cb_2", "eve@one.example"),
            paid("t", "cb_3", "who@one.example"),
            event("ev_i", "invoice_generated", 0, invoice=invoice("i", "cb_1", 100)),
        )

        assert observed(world, "ev_r")["rewards"][0]["amount_minor"] == -1_000
        assert observed(world, "ev_s")["reason"] == "no_source_partner"
        assert observed(world, "ev_t") == {"outcome": "unknown_customer", "rewards": []}
        assert observed(world, "ev_i")["outcome"] == "mirrored"
        assert world.entries() == before
        world.receive(paid("u", "cb_1", ADA, day=3))
        assert observed(world, "ev_u")["customer"] == customer
        shown = api.get(event_path(world, "ev_u"))["results"]["observed"]
        assert shown["customer"] == public("cus", customer)

    def test_events_of_both_modes_share_a_batch(self, world: World) -> None:
        ann = world.partner("Ann")
        world.lead(ADA, ann)
        world.accept(paid("p", "cb_1", ADA))
        world.switch(mode="observe")
        world.accept(paid("q", "cb_1", ADA, day=1))
        world.drain()

        assert world.earned(ann) == 2_000
        assert observed(world, "ev_q")["outcome"] == "transaction_recorded"

    def test_many_are_worked_out_a_few_at_a_time(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The rest is put back: no attempt is counted, and the next batch begins with it."""
        monkeypatch.setattr(processing, "OBSERVED_AT_ONCE", 2)
        world.switch(mode="observe")
        world.accept(*(paid(str(number), "cb_1", ADA) for number in range(5)))
        world.drain()

        found = [world.event(f"ev_{number}") for number in range(5)]
        assert {(one.outcome, one.attempts, one.lease_token) for one in found} == {
            ("observed", 0, None)
        }

    def test_one_that_fails_says_so_and_holds_up_nobody(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.lead(ADA, world.partner("Ann"))
        world.switch(mode="observe")

        def fails(*_args: object) -> None:
            raise ZeroDivisionError("poison")

        monkeypatch.setattr(rewards, "calculate", fails)
        world.receive(paid("p", "cb_1", ADA))

        assert observed(world, "ev_p") == {
            "outcome": None, "error": "ZeroDivisionError: poison",
        }  # fmt: skip

    def test_replaying_one_looks_again(self, world: World, api: Caller) -> None:
        """DOMAIN M13: by the mode it met; it is observed anew, against the books of now."""
        world.switch(mode="observe")
        world.receive(paid("p", "cb_1", ADA))
        assert observed(world, "ev_p")["outcome"] == "unknown_customer"
        world.lead(ADA, world.partner("Ann"))
        world.switch(mode="live")

        done = replay(api, world, "ev_p")

        assert (done["outcome"], done["changed"]) == ("observed", True)
        assert done["results"]["observed"]["outcome"] == "transaction_recorded"
        assert world.customers() == []
