"""When Chargebee is asked, and what counts as another event."""

from typing import Any

import pytest

from rewards_service.chargebee.verifying import difference, needs_asking
from tests.builders.chargebee import customer, event, invoice, paid

ADA = "ada@one.example"


def asked(mode: str, above: dict[str, int], body: dict[str, Any]) -> bool:
    return needs_asking(mode, above, body["event_type"], body, 1_000)


def changed(body: Any, path: str, value: object) -> Any:
    """The body with another value at a path of names and positions."""
    name, _, rest = path.partition(".")
    if isinstance(body, list):
        at = int(name)
        return [*body[:at], changed(body[at], rest, value) if rest else value, *body[at + 1 :]]
    return {**body, name: changed(body.get(name, {}), rest, value) if rest else value}


PAID = paid("1", "cb_1", ADA, amount=10_000)
CHANGED = event("ev_2", "customer_changed", customer=customer("cb_1", ADA))


class TestNeedsAsking:
    def test_off_never_asks_and_always_asks_for_all_that_may_have_effects(self) -> None:
        assert [asked("off", {}, body) for body in (PAID, CHANGED)] == [False, False]
        assert [asked("always", {}, body) for body in (PAID, CHANGED)] == [True, True]

    @pytest.mark.parametrize(
        ("above", "is_asked"), [(9_999, True), (10_000, False), (10_001, False), (0, True)]
    )
    def test_above_asks_when_an_amount_is_larger(self, above: int, is_asked: bool) -> None:
        assert asked("above", {"USD": above}, PAID) is is_asked

    def test_a_currency_without_an_amount_is_asked_about(self) -> None:
        assert asked("above", {"EUR": 10**9}, PAID)

    def test_the_largest_amount_of_any_object_counts(self) -> None:
        """A forged event may carry the money beside what it is said to be about."""
        body = changed(CHANGED, "content.invoice", invoice("9", "cb_1", 50_000))

        assert asked("above", {"USD": 49_999}, body)
        assert not asked("above", {"USD": 50_000}, body)
        assert not asked("above", {"USD": 0}, CHANGED)

    @pytest.mark.parametrize(
        "body", [event("ev_4", "plan_created"), changed(PAID, "content.transaction.amount", "1")]
    )
    def test_an_event_of_which_nothing_follows_is_not_asked_about(self, body: Any) -> None:
        assert not asked("always", {}, body)


class TestDifference:
    def test_what_tells_of_the_delivery_is_none(self) -> None:
        other = {**PAID, "webhook_status": "succeeded", "webhooks": [{"id": "whv2_1"}]}
        other = changed(other, "content.transaction.new_member", "x")

        assert difference(PAID, other) is None

    @pytest.mark.parametrize(
        ("path", "value", "named"),
        [
            ("content.transaction.amount", 10_001, "transaction txn_1, amount_minor"),
            ("content.transaction.status", "voided", "cannot be used"),
            ("content.customer.email", "eve@other.example", "customer cb_1, email"),
            ("content.invoice.total", 9_000, "invoice"),
            ("content.credit_notes", [], None),
            ("event_type", "payment_refunded", "another event_type"),
            ("occurred_at", 1, "another occurred_at"),
            ("id", "ev_x", "another id"),
            ("content.transaction.id", "txn_x", "transaction txn_1 is here only"),
        ],
    )
    def test_what_the_service_reads_is_compared_and_named_without_values(
        self, path: str, value: object, named: str | None
    ) -> None:
        found = difference(PAID, changed(PAID, path, value))

        assert (found is None) == (named is None)
        assert named is None or (found is not None and named in found)
        assert "@" not in str(found)
