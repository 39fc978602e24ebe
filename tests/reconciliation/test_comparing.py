"""What a comparison says of each object, why, and what mends it (M15 for what never came)."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from rewards_service.inbox.models import DEAD, ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.polling import service as polling
from rewards_service.reconciliation import jobs, service
from rewards_service.replay.service import replay
from rewards_service.simulator.faults import Faults
from tests.builders.world import World
from tests.reconciliation.comparing import Opens, compared, shown
from tests.reconciliation.shop import Shop

BOTH = ("there_minor", "here_minor")


def refund(shop: Shop, amount: int) -> str:
    """A refund of a fresh payment of 100.00."""
    invoice = shop.bill(10_000)
    shop.say("pay", invoice_id=invoice)
    return str(shop.say("refund", invoice_id=invoice, amount=amount)["transaction_id"])


def forget(shop: Shop, payment: str) -> None:
    """As if Chargebee had never heard of it."""
    table = shop.simulator.site.tables["transaction"]
    table.order = [item for item in table.order if item[1] != payment]
    table.orders.clear()
    del table.rows[payment], table.places[payment]


class TestComparison:
    def test_where_nothing_was_lost_nothing_differs(self, world: World, shop: Shop) -> None:
        refund(shop, 2_500)
        other = shop.say("sign_up", email="nobody@two.example")["customer_id"]
        shop.pay(700, other)
        shop.say("write_off", invoice_id=shop.bill(4_000))

        found = compared(world, shop.api)

        assert found.differences == []
        assert found.run.counts == {
            "equal": 5, "missing_here": 0, "missing_there": 0, "different": 0
        }  # fmt: skip
        assert found.run.notes == {"unknown_customer": 1}
        sums = {line["line"]: (line["there_count"], *(line[n] for n in BOTH))
                for line in found.run.sums}  # fmt: skip
        assert sums == {
            "payments": (2, 10_700, 10_700), "refunds": (1, 2_500, 2_500),
            "refundable_notes": (1, 2_500, 2_500), "adjustment_notes": (1, 4_000, 4_000),
        }  # fmt: skip

    def test_what_no_event_told_of_is_missing_here_and_mended_by_a_poll(
        self, world: World, shop: Shop
    ) -> None:
        shop.lose_all()
        payment = shop.pay(5_000)
        shop.lose_nothing()

        found = compared(world, shop.api, repair=True)

        assert found.found == [(payment, "missing_here", "event_missing", "poll")]
        assert [found.differences[0][name] for name in BOTH] == [5_000, None]
        assert found.run.sums[0]["difference_minor"] == 5_000
        assert found.run.repaired == {"poll": len(shop.lost)}
        world.drain()
        assert compared(world, shop.api).differences == []
        assert world.earned() == 1_000
        assert replay(world.engine, True, lambda _events: None).ok

    def test_while_somebody_reads_the_log_nothing_is_asked_for_twice(
        self, world: World, shop: Shop
    ) -> None:
        shop.lose_all()
        shop.pay()
        with transaction(world.engine) as session:
            polling.begin(session, world.site.id)

        assert compared(world, shop.api, repair=True).run.repaired == {}
        assert [event for event in world.all(ReceivedEvent) if event.source != "webhook"] == []

    def test_a_payment_known_by_other_events_only_does_not_count_yet(
        self, world: World, shop: Shop
    ) -> None:
        shop.lose_all("payment_succeeded")
        payment = shop.pay()

        assert compared(world, shop.api).found == [
            (payment, "missing_here", "payment_event_missing", "poll")
        ]

    def test_what_was_changed_without_a_word_differs_by_its_fields(
        self, world: World, shop: Shop
    ) -> None:
        invoice = shop.bill()
        payment = shop.say("pay", invoice_id=invoice)["transaction_id"]
        shop.lose_all()
        reversal = shop.say("late_failure", transaction_id=payment)["transaction_id"]

        found = compared(world, shop.api)

        assert found.found == [
            (payment, "different", "newer_there", "poll"),
            (reversal, "missing_here", "event_missing", "poll"),
        ]
        assert found.differences[0]["differences"] == [
            {"field": "status", "there": "late_failure", "here": "success"}
        ]
        assert [line["difference_minor"] for line in found.run.sums] == [-10_000, 10_000]

    def test_a_deletion_that_nobody_told_of(self, world: World, shop: Shop) -> None:
        invoice = shop.bill()
        payment = shop.say("pay_offline", invoice_id=invoice)["transaction_id"]
        shop.lose_all()
        shop.say("delete_offline", transaction_id=payment)

        assert compared(world, shop.api, repair=True).found == [
            (payment, "different", "deleted_there", "poll")
        ]
        world.drain()
        assert compared(world, shop.api).differences == []
        assert world.earned() == 0

    def test_what_chargebee_does_not_know_is_for_a_person(self, world: World, shop: Shop) -> None:
        payment = shop.pay()
        forget(shop, payment)

        found = compared(world, shop.api)

        assert found.found == [(payment, "missing_there", "not_in_chargebee", "look")]
        assert [found.differences[0][name] for name in BOTH] == [None, 10_000]

    def test_what_is_deleted_here_and_gone_there_is_equal(self, world: World, shop: Shop) -> None:
        payment = shop.say("pay_offline", invoice_id=shop.bill())["transaction_id"]
        shop.say("delete_offline", transaction_id=payment)
        forget(shop, payment)

        assert compared(world, shop.api).differences == []

    def test_what_lists_show_some_minutes_late_is_looked_up(self, world: World, shop: Shop) -> None:
        refund(shop, 2_500)
        shop.simulator.faults = Faults(lag_s=300)

        found = compared(world, shop.api)

        assert (found.differences, found.run.counts["equal"]) == ([], 3)
        assert [line["difference_minor"] for line in found.run.sums] == [0, 0, 0]

    def test_another_date_there_is_one_difference_and_not_two(
        self, world: World, shop: Shop
    ) -> None:
        payment = shop.pay()
        row = shop.simulator.site.find("transaction", payment)
        row["date"] -= 600
        shop.simulator.site.touch("transaction", row)

        found = compared(world, shop.api)

        assert found.found == [(payment, "different", "newer_there", "poll")]
        assert [one["field"] for one in found.differences[0]["differences"]] == ["dated_at"]

    def test_a_quarantined_event_is_named(self, world: World, shop: Shop) -> None:
        def spoil(event: dict[str, object]) -> None:
            if event["event_type"] in ("payment_succeeded", "transaction_created"):
                event["occurred_at"] = 1

        shop.change = spoil
        payment = shop.pay()

        found = compared(world, shop.api, repair=True)

        assert found.found == [(payment, "missing_here", "event_quarantined", "look")]
        assert "bad_payload" in found.differences[0]["text"]
        assert found.differences[0]["event_id"] is not None
        assert found.run.repaired == {}

    def test_an_event_that_gave_up_is_tried_again(self, world: World, shop: Shop) -> None:
        shop.lose_all("transaction_created", "invoice_updated")
        invoice = shop.bill()
        shop.runner.say("pay", {"invoice_id": invoice})
        shop.runner.pump()
        with transaction(world.engine) as session:
            pending = ReceivedEvent.state == "pending"
            dead = {"state": DEAD, "error": "Boom: it broke."}
            session.execute(update(ReceivedEvent).where(pending).values(dead))

        found = compared(world, shop.api, repair=True)

        assert [one[1:] for one in found.found] == [("missing_here", "event_dead", "replay")]
        assert "Boom" in found.differences[0]["text"]
        assert found.run.repaired == {"replay": 1}
        assert world.earned() == 2_000

    def test_only_the_period_asked_for(self, world: World, shop: Shop) -> None:
        shop.lose_all()
        shop.pay()
        today = utc_now().date()

        # The payment is of some minutes ago, which may be yesterday.
        before = compared(world, shop.api, to_on=today - timedelta(days=3))
        since = compared(world, shop.api, from_on=today - timedelta(days=2))

        assert (before.run.counts["missing_here"], since.run.counts["missing_here"]) == (0, 1)

    def test_broken_off_after_each_step_it_comes_to_the_same(
        self, world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rewards_service.reconciliation.comparing.STEP", 1)
        refund(shop, 2_500)
        shop.lose_all("payment_refunded", "transaction_created", "credit_note_created")
        refund(shop, 1_000)
        whole = compared(world, shop.api)
        with transaction(world.engine) as session:
            key = service.ask(session, world.site.id, "test").id

        steps = 0
        ended = False
        while not ended:
            with transaction(world.engine) as session:
                run = service.take(session, key)
            assert run is not None
            ended = jobs.go_on(world.engine, Opens(shop.api), run, time.monotonic())
            steps += 1

        again = shown(world, key)
        assert steps > 4
        assert (again.found, again.run.sums) == (whole.found, whole.run.sums)
        assert len(whole.found) == 2
