from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.money import MAX_AMOUNT
from rewards_service.transactions.standing import base_amount, is_kept, is_settled, standing
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EMAIL = "ada@customer.example"


def payment(amount: int = 1_000, **changes: Any) -> Any:
    plain = {"amount_minor": amount, "status": "success", "deleted": False, "currency": "EUR",
             "base_currency": "USD", "exchange_rate": "1.0825"}  # fmt: skip
    return SimpleNamespace(**plain | changes)


def taken(amount: int, **changes: Any) -> Any:
    plain = {"amount_minor": amount, "status": "success", "deleted": False, "kind": "refund",
             "payment_method": "card"}  # fmt: skip
    return SimpleNamespace(**plain | changes)


class TestIsSettled:
    @pytest.mark.parametrize(
        "status", ["in_progress", "failure", "timeout", "voided", "needs_attention", "late_failure"]
    )
    def test_only_a_success_moved_money(self, status: str) -> None:
        """DOMAIN A2."""
        assert not is_settled(taken(1, status=status))
        assert is_settled(taken(1))
        assert not is_settled(taken(1, deleted=True))


class TestIsKept:
    @pytest.mark.parametrize("changes", [{"status": "late_failure"}, {"status": "voided"},
                                         {"deleted": True}])  # fmt: skip
    def test_a_payment_that_fell_away_is_not(self, changes: dict[str, Any]) -> None:
        """DOMAIN V3."""
        assert is_kept(payment())
        assert not is_kept(payment(**changes))


class TestStanding:
    @pytest.mark.parametrize(
        ("refunds", "expected"),
        [
            ([], ("succeeded", 0)),
            ([taken(0)], ("succeeded", 0)),
            ([taken(1)], ("partially_refunded", 1)),
            ([taken(400), taken(599)], ("partially_refunded", 999)),
            ([taken(1_000)], ("refunded", 1_000)),
            ([taken(400), taken(900)], ("refunded", 1_000)),
            ([taken(1_000, status="in_progress")], ("succeeded", 0)),
            ([taken(1_000, status="failure")], ("succeeded", 0)),
            ([taken(1_000, deleted=True)], ("succeeded", 0)),
            ([taken(1_000, payment_method="chargeback")], ("reversed", 1_000)),
            ([taken(1_000, kind="payment_reversal")], ("reversed", 1_000)),
            ([taken(100, payment_method="chargeback")], ("partially_refunded", 100)),
            ([taken(100), taken(900, payment_method="chargeback")], ("reversed", 1_000)),
        ],
    )
    def test_follows_from_what_took_it_back(
        self, refunds: list[Any], expected: tuple[str, int]
    ) -> None:
        """DOMAIN V3."""
        assert standing(payment(), refunds) == expected

    @pytest.mark.parametrize("changes", [{"status": "late_failure"}, {"status": "voided"},
                                         {"deleted": True}])  # fmt: skip
    def test_a_late_failure_reverses_once_even_with_a_refund(self, changes: dict[str, Any]) -> None:
        """DOMAIN V3."""
        assert standing(payment(**changes), [taken(300)]) == ("reversed", 300)

    def test_a_payment_of_nothing_succeeded(self) -> None:
        assert standing(payment(0), []) == ("succeeded", 0)

    @given(st.integers(0, MAX_AMOUNT), st.lists(st.integers(0, MAX_AMOUNT), max_size=4))
    def test_never_more_is_taken_back_than_it_brought(self, amount: int, parts: list[int]) -> None:
        found = standing(payment(amount), [taken(part) for part in parts])

        assert found.refunded_minor == min(sum(parts), amount)


class TestBaseAmount:
    @pytest.mark.parametrize(
        ("currency", "base", "rate", "amount", "expected"),
        [
            ("EUR", "USD", "1.0825", 4_500, 4_871),
            ("USD", "USD", "1", 4_500, 4_500),
            ("JPY", "USD", "0.0067", 4_500, 3_015),
            ("USD", "JPY", "149.25", 1_000, 1_492),
            ("KWD", "USD", "3.25", 1_000, 325),
            ("RSD", "EUR", "0.0085", 100_000, 850),
            ("IQD", "USD", "0.00076", 1_000_000, 76),
        ],
    )
    def test_is_at_the_payments_own_rate_between_minor_units(
        self, currency: str, base: str, rate: str, amount: int, expected: int
    ) -> None:
        """DOMAIN A1, V7."""
        one = payment(amount, currency=currency, base_currency=base, exchange_rate=rate)

        assert base_amount(one) == expected

    @pytest.mark.parametrize("missing", ["base_currency", "exchange_rate"])
    def test_without_a_rate_there_is_none(self, missing: str) -> None:
        """DOMAIN V7: never passed through."""
        assert base_amount(payment(1_000, **{missing: None})) is None

    def test_beyond_any_amount_there_is_none(self) -> None:
        assert base_amount(payment(MAX_AMOUNT, exchange_rate="2")) is None


class TestRefresh:
    """The standing that is stored follows the mirror, whatever else the batch brings."""

    def test_a_refund_beside_an_earlier_payment_of_the_payer_counts(self, world: World) -> None:
        """DOMAIN V3, V10, M17: the earlier payment moves the payer's matching."""
        world.lead(EMAIL, world.partner())
        world.receive(paid("2", "cb1", EMAIL, day=5))

        world.accept(paid("1", "cb1", EMAIL, day=1), refunded("r", "txn_2", 10_000, day=6))
        world.drain()

        assert world.transaction_of("txn_2").status == "refunded"

    def test_a_refund_while_the_payment_was_withdrawn_counts(self, world: World) -> None:
        """DOMAIN V3, M17: cb2 paid earlier and has the deal; cb1 comes back with another one."""
        world.deal(EMAIL, world.partner("Ann"))
        world.deal("b@customer.example", world.partner("Bob"))
        world.receive(paid("1", "cb1", EMAIL, day=9), paid("2", "cb2", EMAIL, day=5))
        assert world.transaction_of("txn_1") is None
        world.receive(refunded("r", "txn_1", 10_000, day=10))

        world.receive(paid("3", "cb1", "b@customer.example", day=2))

        assert world.transaction_of("txn_1").status == "refunded"
