"""Dividing loses nothing, terms end where a calendar says."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.simulator.sums import included, part, share_out
from rewards_service.simulator.terms import later, monthly, remaining


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class TestShareOut:
    @given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
    def test_the_shares_are_the_whole(self, amount: int, weights: list[int]) -> None:
        shares = share_out(amount, weights)

        assert sum(shares) == amount
        assert min(shares) >= 0

    @given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
    def test_no_share_is_a_unit_away_from_its_exact_part(
        self, amount: int, weights: list[int]
    ) -> None:
        for share, weight in zip(share_out(amount, weights), weights, strict=True):
            assert abs(share * sum(weights) - amount * weight) < sum(weights)

    def test_what_is_left_goes_to_the_largest_remainders(self) -> None:
        assert share_out(100, [1, 1, 1]) == [34, 33, 33]
        assert share_out(5, [0, 0]) == [3, 2]


class TestPart:
    @pytest.mark.parametrize(
        ("amount", "percent", "expected"), [(250, "1", 2), (350, "1", 4), (1_000, "12.5", 125)]
    )
    def test_ties_go_to_the_even_unit(self, amount: int, percent: str, expected: int) -> None:
        assert part(amount, Decimal(percent)) == expected

    def test_included_tax_is_inside_the_amount(self) -> None:
        assert included(11_900, Decimal(19)) == 1_900


class TestLater:
    @pytest.mark.parametrize(
        ("start", "period", "unit", "expected"),
        [
            ("2026-01-31", 1, "month", "2026-02-28"),
            ("2028-01-31", 1, "month", "2028-02-29"),
            ("2028-02-29", 1, "year", "2029-02-28"),
            ("2026-11-15", 3, "month", "2027-02-15"),
            ("2026-02-27", 2, "day", "2026-03-01"),
            ("2026-02-27", 1, "week", "2026-03-06"),
        ],
    )
    def test_a_day_that_is_missing_becomes_the_last_one(
        self, start: str, period: int, unit: str, expected: str
    ) -> None:
        assert later(at(start), period, unit) == at(expected)


class TestMonthly:
    @pytest.mark.parametrize(
        ("amount", "period", "unit", "expected"),
        [
            (1_200, 1, "year", 100), (300, 3, "month", 100), (1_200, 365, "day", 100),
            (700, 1, "week", 3_042),
        ],
    )  # fmt: skip
    def test_a_month_is_a_twelfth_of_a_year(
        self, amount: int, period: int, unit: str, expected: int
    ) -> None:
        assert monthly(amount, period, unit) == expected


class TestRemaining:
    @pytest.mark.parametrize(
        ("now", "expected"), [(0, 100), (50, 50), (100, 0), (500, 0), (-5, 100)]
    )
    def test_it_is_the_part_of_the_term_that_is_left(self, now: int, expected: int) -> None:
        assert remaining(100, 0, 100, now) == expected

    def test_a_term_without_length_leaves_nothing(self) -> None:
        assert remaining(100, 5, 5, 5) == 0
