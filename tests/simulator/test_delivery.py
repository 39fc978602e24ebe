"""Webhooks: who gets what, when again, and what goes wrong on purpose (reference section 2)."""

import json
from collections import Counter

import pytest

from rewards_service.simulator.delivery import RETRY_S, body, due, next_due_ms, resend, settle
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import play
from rewards_service.simulator.site import Row
from rewards_service.simulator.verbs import say
from tests.simulator.schemas import wrong_webhook
from tests.simulator.site_calls import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()


def event_of(caller: Caller, event_type: str) -> Row:
    rows = caller.site.tables["event"].rows.values()
    return next(row for row in rows if row["event_type"] == event_type)


class TestPlan:
    def test_an_endpoint_gets_only_the_events_it_asked_for(self, caller: Caller) -> None:
        caller.listen(enabled_events=["payment_succeeded"])
        say(caller.site, "stock")
        customer = say(caller.site, "sign_up", email="a@b.example")["customer_id"]
        say(caller.site, "subscribe", customer_id=customer)

        assert [event["event_type"] for event in caller.webhooks()] == ["payment_succeeded"]

    def test_an_empty_list_of_events_means_all(self, caller: Caller) -> None:
        caller.listen()
        say(caller.site, "stock")

        assert len(caller.webhooks()) == len(caller.site.tables["event"].rows)

    def test_a_disabled_endpoint_gets_nothing(self, caller: Caller) -> None:
        caller.listen(disabled="true")
        say(caller.site, "sign_up", email="a@b.example")

        assert caller.webhooks() == []
        assert event_of(caller, "customer_created")["webhook_status"] == "not_configured"

    def test_a_call_can_be_silent(self, caller: Caller) -> None:
        caller.listen()
        caller.tell("/customers", headers={"chargebee-event-webhook": "all-disabled"}, id="c")

        assert caller.webhooks() == []
        assert event_of(caller, "customer_created")["webhook_status"] == "disabled"

    def test_the_primary_endpoint_comes_first(self, caller: Caller) -> None:
        caller.listen()
        first = caller.listen(url="https://other.example/", primary_url="true")
        say(caller.site, "sign_up", email="a@b.example")

        assert due(caller.site, Faults())[0]["endpoint_id"] == first


class TestBody:
    def test_every_webhook_fits_the_description(self, caller: Caller) -> None:
        caller.listen(send_card_resource="true")
        for _ in play(caller.site, 120):
            pass
        sent = caller.webhooks()

        assert {event["id"]: w for event in sent if (w := wrong_webhook(event))} == {}

    def test_the_card_is_there_only_when_the_endpoint_wants_it(self, caller: Caller) -> None:
        caller.listen(name="plain")
        caller.listen(name="with", url="https://with.example/", send_card_resource="true")
        say(caller.site, "sign_up", email="a@b.example")
        say(caller.site, "change_email", customer_id=_only(caller), email="c@d.example")
        cards = ["card" in event["content"] for event in caller.webhooks()]

        assert cards == [False, True, False, True]

    def test_an_endpoint_of_api_v1_gets_the_older_names(self, caller: Caller) -> None:
        caller.listen(api_version="v1", enabled_events=["payment_succeeded"])
        say(caller.site, "stock")
        customer = say(caller.site, "sign_up", email="a@b.example")["customer_id"]
        say(caller.site, "subscribe", customer_id=customer)
        [event] = caller.webhooks()

        assert event["api_version"] == "v1"
        assert event["content"]["invoice"]["amount"] == 4500
        assert "total" not in event["content"]["invoice"]
        assert "resource_version" not in event["content"]["transaction"]


def _only(caller: Caller) -> str:
    [key] = caller.site.tables["customer"].rows
    return key


class TestSettle:
    def test_a_failed_call_is_made_again_after_the_pauses_of_chargebee(
        self, caller: Caller
    ) -> None:
        caller.listen()
        say(caller.site, "sign_up", email="a@b.example")
        waited, statuses = [], []
        while (due_ms := next_due_ms(caller.site)) is not None:
            before = caller.site.now_ms
            caller.site.move_to(due_ms)
            waited.append((caller.site.now_ms - before) // 1000)
            [call] = due(caller.site, Faults())
            settle(caller.site, call, False)
            statuses.append(event_of(caller, "customer_created")["webhook_status"])

        assert waited == [0, *RETRY_S]
        assert statuses == ["re_scheduled"] * 7 + ["failed"]
        assert sum(RETRY_S) < 3 * 86_400 + 7 * 3_600

    def test_a_later_success_ends_it(self, caller: Caller) -> None:
        caller.listen()
        say(caller.site, "sign_up", email="a@b.example")
        [call] = due(caller.site, Faults())
        settle(caller.site, call, False)
        caller.site.move_to(next_due_ms(caller.site) or 0)
        [call] = due(caller.site, Faults())
        settle(caller.site, call, True)

        assert event_of(caller, "customer_created")["webhook_status"] == "succeeded"
        assert next_due_ms(caller.site) is None

    def test_an_event_can_be_sent_again_by_hand(self, caller: Caller) -> None:
        caller.listen()
        say(caller.site, "sign_up", email="a@b.example")
        [first] = caller.webhooks()

        assert resend(caller.site, first["id"]) == 1
        assert [event["id"] for event in caller.webhooks()] == [first["id"]]


class TestFaults:
    def sent(self, **knobs: float) -> list[str]:
        """The ids of the events of a play, in the order in which they were sent in the end."""
        caller = Caller(seed=4)
        caller.simulator.faults = Faults().changed(knobs)
        caller.listen()
        for _ in play(caller.site, 150):
            pass
        found = []
        while (due_ms := next_due_ms(caller.site)) is not None:
            caller.site.move_to(due_ms)
            for call in due(caller.site, caller.simulator.faults):
                if not call["dropped"]:
                    found.append(json.loads(body(caller.site, call))["id"])
                settle(caller.site, call, True)
        return found

    def test_a_share_is_dropped_though_it_is_said_to_have_succeeded(self) -> None:
        whole, rest = self.sent(), self.sent(drop=0.1)

        assert set(rest) < set(whole)
        assert 0.8 < len(rest) / len(whole) < 0.97

    def test_a_share_is_sent_twice(self) -> None:
        counts = Counter(self.sent(duplicate=0.2))
        twice = [key for key, count in counts.items() if count == 2]

        assert set(counts.values()) == {1, 2}
        assert 0.1 < len(twice) / len(counts) < 0.3

    def test_a_share_comes_later_than_those_after_it(self) -> None:
        whole, mixed = self.sent(), self.sent(reorder=0.5, reorder_s=86_400)

        assert sorted(whole) == sorted(mixed)
        assert whole != mixed

    def test_the_same_seed_deals_out_the_same_faults(self) -> None:
        knobs = {"drop": 0.1, "duplicate": 0.2, "reorder": 0.3}

        assert self.sent(**knobs) == self.sent(**knobs)
