"""Which events of a batch have nothing to do with each other."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.events import read_event
from rewards_service.webhooks.apart import payer_of, runs, things_of
from tests.builders.chargebee import (
    Json,
    credit_note,
    customer,
    event,
    invoice,
    paid,
    refund,
    refunded,
)

SALE = paid("1", "cb1", "ada@one.example")


def things(body: Json, site: int = 1) -> set[tuple[int, str, str]]:
    return things_of(site, read_event(body["event_type"], body, 1_000))


class TestThingsOf:
    @pytest.mark.parametrize(
        "other",
        [
            refunded("r", "txn_1", 100),
            event("e", "invoice_updated", invoice=invoice("inv_1", "cb9", 10_000)),
            event("e", "credit_note_created", credit_note=credit_note("cn", "inv_1", 100)),
            event("e", "customer_changed", customer=customer("cb1", "new@one.example")),
            event("e", "customer_changed", customer=customer("x", relationship={"root_id": "cb1"})),
            paid("2", "cb2", "ADA@one.example"),
            paid("2", "cb2", "b@two.example", invoice="inv_1"),
            paid("2", "cb1", "b@two.example"),
            event(
                "e", "payment_refunded", transaction=refund("r", "txn_9", 100, notes={"inv_1": 100})
            ),
        ],
        ids=[
            "refund", "invoice", "note", "customer", "child", "address", "same invoice",
            "same payer", "refund by note",
        ],
    )  # fmt: skip
    def test_whatever_may_change_what_a_payment_earns_shares_something_with_it(
        self, other: Json
    ) -> None:
        """DOMAIN V10."""
        assert things(SALE) & things(other)

    def test_another_customers_payment_shares_nothing(self) -> None:
        """Nor where both are for the same price, which tells of no money."""
        sold = {"id": "pro-USD", "object": "item_price", "item_id": "pro"}
        one, other = paid("1", "cb1", "ada@one.example"), paid("2", "cb2", "b@two.example")
        for body in (one, other):
            body["content"]["item_price"] = sold
        assert not things(one) & things(other)

    def test_sites_share_nothing_but_addresses(self) -> None:
        """DOMAIN M1: leads are everybody's; ids are a site's own."""
        assert things(SALE) & things(SALE, site=2) == {(0, "email", "ada@one.example")}


class TestRuns:
    @given(st.lists(st.frozensets(st.integers(0, 6), min_size=1, max_size=3), max_size=20))
    def test_runs_keep_the_order_and_no_run_meets_a_thing_twice(
        self, abouts: list[frozenset[int]]
    ) -> None:
        """DOMAIN V10: and none ends before it must."""
        events: list[Any] = [SimpleNamespace(id=number) for number in range(len(abouts))]
        about = {n: {(1, "invoice", str(i)) for i in some} for n, some in enumerate(abouts)}
        found = list(runs(events, about, {}))
        assert [one for run in found for one in run] == events
        for run in found:
            everything = [thing for one in run for thing in about[one.id]]
            assert len(everything) == len(set(everything))
        for run, following in pairwise(found):
            assert any(about[one.id] & about[following[0].id] for one in run)

    @pytest.mark.parametrize(
        ("second", "together"),
        [
            (paid("2", "cb1", "ada@one.example", day=3), True),
            (paid("2", "cb1", "ada@one.example", day=0), True),
            (paid("2", "cb1", "ada@one.example", day=-1), False),
            (paid("2", "cb1", "other@one.example", day=3), False),
            (paid("2", "cb2", "ada@one.example", day=3), False),
            (paid("2", "cb1", "ada@one.example", day=3, invoice="inv_1"), False),
            (event("e", "customer_changed", 3, customer=customer("cb1", "ada@one.example")), False),
        ],
        ids=["later", "same time", "earlier", "address", "payer", "invoice", "no payment"],
    )  # fmt: skip
    def test_payments_of_one_payer_go_together_as_they_were_made(
        self, second: Json, together: bool
    ) -> None:
        """DOMAIN V10, M17: an earlier payment that comes later may change whose customer it is."""
        readings = [read_event(body["event_type"], body, 1_000) for body in (SALE, second)]
        about = {n: things_of(1, reading) for n, reading in enumerate(readings)}
        payers = {n: payer_of(reading, about[n]) for n, reading in enumerate(readings)}
        events: list[Any] = [SimpleNamespace(id=number) for number in about]
        assert len(list(runs(events, about, payers))) == (1 if together else 2)
