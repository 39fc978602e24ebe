"""Rewards over HTTP."""

import pytest

from tests.builders.api import Caller, Json
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EMAIL = "eve@buyer.example"


@pytest.fixture
def books(world: World) -> World:
    """A reward of 20.00 for a payment of 100.00."""
    world.lead(EMAIL, world.partner())
    world.receive(paid("1", "cb1", EMAIL, 10_000))
    return world


def only(api: Caller) -> Json:
    (found,) = api.get("/rewards")["data"]
    return dict(found)


class TestRewards:
    def test_its_amount_is_the_sum_of_its_entries(self, api: Caller, books: World) -> None:
        """DOMAIN A4, V1."""
        books.receive(refunded("2", "txn_1", 5_000))
        found = only(api)

        assert [(e["kind"], e["amount_minor"]) for e in found["entries"]] == [
            ("earn", 2_000), ("reverse", -1_000),
        ]  # fmt: skip
        assert (found["amount_minor"], found["currency"]) == (1_000, "USD")

    def test_every_entry_names_the_event_that_caused_it(self, api: Caller, books: World) -> None:
        event = api.get("/events", event_id="ev_1")["data"][0]

        assert [entry["cause_event"] for entry in only(api)["entries"]] == [event["id"]]
        assert event["results"]["reward_ids"] == [only(api)["id"]]

    def test_it_shows_rule_invoice_and_payments(self, api: Caller, books: World) -> None:
        found = only(api)
        rule = api.get("/reward-rules")["data"][0]
        transaction = api.get("/transactions")["data"][0]

        assert (found["rule_id"], found["rule_version"]) == (rule["id"], 1)
        assert found["transaction_ids"] == [transaction["id"]] == [found["transaction_id"]]
        assert (found["chargebee_invoice_id"], found["seq"]) == ("inv_1", 1)
        assert (found["status"], found["available_on"]) == ("pending", "2026-01-01")
        assert api.get(f"/rewards/{found['id']}") == found

    def test_payments_of_one_invoice_are_listed_the_earliest_first(
        self, api: Caller, world: World
    ) -> None:
        """DOMAIN A4."""
        world.lead(EMAIL, world.partner())
        later = paid("1", "cb1", EMAIL, 5_000, day=2, invoice="inv", total=10_000)
        earlier = paid("2", "cb1", EMAIL, 5_000, day=1, invoice="inv", total=10_000)
        world.receive(later, earlier)
        by_id = {item["id"]: item for item in api.get("/transactions")["data"]}
        names = [
            by_id[key]["properties"]["chargebee_transaction_id"]
            for key in only(api)["transaction_ids"]
        ]

        assert names == ["txn_2", "txn_1"]

    def test_they_are_found_by_every_filter(self, api: Caller, books: World) -> None:
        found = only(api)
        matching = {
            "status": found["status"], "partner_id": found["partner_id"], "currency": "USD",
            "customer_id": found["customer_id"], "chargebee_invoice_id": "inv_1",
            "created_at[gte]": found["created_at"], "created_at[lt]": "2150-01-01T00:00:00Z",
        }  # fmt: skip
        missing = {
            "status": "paid", "partner_id": "par_1zfktvfpcpdba", "currency": "EUR",
            "customer_id": "cus_1zfktvfpcpdba", "chargebee_invoice_id": "inv_2",
            "created_at[gte]": "2150-01-01T00:00:00Z", "created_at[lt]": found["created_at"],
        }  # fmt: skip

        assert api.get("/rewards", **matching)["data"] == [found]
        for name, value in missing.items():
            assert api.get("/rewards", **{name: value})["data"] == [], name

    def test_it_is_explained(self, api: Caller, books: World) -> None:
        found = only(api)
        explanation = api.get(f"/rewards/{found['id']}/explanation")

        assert explanation["reward_id"] == found["id"]
        assert explanation["rule"] == {"id": found["rule_id"], "version": 1}
        assert explanation["skipped_rules"] == []
        assert explanation["steps"][-1]["value_minor"] == 2_000
        assert "20.00 USD" in explanation["text"]
