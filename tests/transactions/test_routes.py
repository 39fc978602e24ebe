"""Transactions over HTTP."""

import pytest

from tests.builders.api import Caller
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EMAIL = "eve@buyer.example"


@pytest.fixture
def books(world: World) -> World:
    """One payment of 100.00 by a lead's address, a day before another of 50.00."""
    world.lead(EMAIL, world.partner())
    world.receive(paid("1", "cb1", EMAIL, 10_000), paid("2", "cb1", EMAIL, 5_000, day=1))
    return world


class TestTransactions:
    def test_a_transaction_shows_its_invoices_and_rewards(self, api: Caller, books: World) -> None:
        """DOMAIN M10."""
        found = api.get("/transactions", chargebee_transaction_id="txn_1")["data"][0]

        assert (found["amount_minor"], found["currency"]) == (10_000, "USD")
        assert (found["status"], found["refunded_minor"]) == ("succeeded", 0)
        assert found["allocations"] == [{"chargebee_invoice_id": "inv_1", "amount_minor": 10_000}]
        assert found["properties"] == {
            "chargebee_transaction_id": "txn_1", "chargebee_invoice_id": "inv_1",
        }  # fmt: skip
        assert found["chargebee_invoice_ids"] == ["inv_1"]
        assert found["reward_ids"] == [
            api.get("/rewards", chargebee_invoice_id="inv_1")["data"][0]["id"]
        ]
        assert found["reason"] is None
        assert api.get(f"/transactions/{found['id']}") == found

    def test_they_are_found_by_what_they_belong_to(self, api: Caller, books: World) -> None:
        first, second = api.get("/transactions")["data"]

        assert api.get("/transactions", customer_id=first["customer_id"])["data"] == [first, second]
        assert api.get("/transactions", partner_id=first["partner_id"])["data"] == [first, second]
        assert api.get("/transactions", chargebee_invoice_id="inv_2")["data"] == [second]
        assert api.get("/transactions", chargebee_invoice_id="inv_3")["data"] == []

    def test_a_span_of_time_holds_its_start_but_not_its_end(
        self, api: Caller, books: World
    ) -> None:
        first, second = api.get("/transactions")["data"]

        def within(start: str, end: str) -> list[object]:
            span = {"occurred_at[gte]": start, "occurred_at[lt]": end}
            return list(api.get("/transactions", **span)["data"])

        assert within(first["occurred_at"], second["occurred_at"]) == [first]
        assert within(second["occurred_at"], "2030-01-01T00:00:00Z") == [second]

    def test_a_refund_shows(self, api: Caller, books: World) -> None:
        books.receive(refunded("3", "txn_1", 4_000))
        found = api.get("/transactions", chargebee_transaction_id="txn_1")["data"][0]

        assert (found["status"], found["refunded_minor"]) == ("partially_refunded", 4_000)

    def test_nobody_writes_them(self, api: Caller, books: World) -> None:
        path = f"/transactions/{api.get('/transactions')['data'][0]['id']}"

        assert api.call("PATCH", path, json={}).status_code == 405
        assert api.call("POST", "/transactions", json={}).status_code == 405
