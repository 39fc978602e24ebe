"""Months and windows that rules count in."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.programs.rules import LIFETIME, MONTH, ROLLING, WINDOWS
from rewards_service.rewards.counting import (
    Period,
    add_months,
    is_over,
    reached_from,
    window,
)

days = st.dates(date(2023, 1, 1), date(2029, 12, 31))
JAN = date(2026, 1, 15)
FEB = date(2026, 2, 15)


class TestAddMonths:
    @pytest.mark.parametrize(
        ("day", "months", "expected"),
        [
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2028, 1, 31), 1, date(2028, 2, 29)),
            (date(2026, 1, 31), 12, date(2027, 1, 31)),
            (date(2028, 2, 29), 12, date(2029, 2, 28)),
            (date(2028, 2, 29), 48, date(2032, 2, 29)),
            (date(2026, 11, 30), 1, date(2026, 12, 30)),
            (date(2026, 11, 30), 3, date(2027, 2, 28)),
            (date(2026, 12, 31), 0, date(2026, 12, 31)),
            (date(2026, 1, 15), -1, date(2025, 12, 15)),
            (date(2028, 2, 29), -12, date(2027, 2, 28)),
        ],
    )
    def test_a_month_end_is_clamped(self, day: date, months: int, expected: date) -> None:
        """DOMAIN A11."""
        assert add_months(day, months) == expected

    def test_it_ends_with_the_calendar(self) -> None:
        assert add_months(date(9999, 11, 1), 1) == date(9999, 12, 1)
        assert add_months(date(9999, 12, 1), 1) == date.max

    @given(days, st.integers(0, 60))
    def test_the_next_month_never_comes_before(self, day: date, months: int) -> None:
        later = add_months(day, months)

        assert add_months(day, months + 1) > later
        assert later.day <= day.day
        assert (later.year - day.year) * 12 + later.month - day.month == months


class TestIsOver:
    def test_the_window_is_half_open(self) -> None:
        """DOMAIN A11, T8."""
        first = date(2026, 1, 31)

        assert not is_over(first, date(2027, 1, 30), 12)
        assert is_over(first, date(2027, 1, 31), 12)

    def test_of_monthly_invoices_as_many_lie_in_it_as_it_has_months(self) -> None:
        """DOMAIN A11, T8: whatever day of the month the first one is of."""
        for day in range(31):
            first = date(2027, 12, 1) + timedelta(day)
            months = [add_months(first, n) for n in range(20)]
            assert [is_over(first, one, 12) for one in months] == [False] * 12 + [True] * 8


class TestWindow:
    def test_a_month_is_that_of_the_calendar(self) -> None:
        """DOMAIN A9."""
        assert window(MONTH, date(2028, 2, 10)) == Period(date(2028, 2, 1), date(2028, 2, 29))
        assert window(MONTH, date(2026, 12, 31)) == Period(date(2026, 12, 1), date(2026, 12, 31))

    def test_twelve_months_look_back_from_a_day(self) -> None:
        """DOMAIN A9."""
        assert window(ROLLING, date(2026, 3, 15)) == Period(date(2025, 3, 16), date(2026, 3, 15))
        assert window(ROLLING, date(2028, 2, 29)) == Period(date(2027, 3, 1), date(2028, 2, 29))

    def test_a_lifetime_has_every_day(self) -> None:
        assert window(LIFETIME, JAN) == Period(date.min, date.max)

    @given(st.sampled_from(WINDOWS), days)
    def test_it_has_the_day_it_is_of(self, name: str, day: date) -> None:
        assert window(name, day).has(day)

    @given(st.sampled_from(WINDOWS), days, st.integers(-400, 400))
    def test_what_a_day_changes_is_where_windows_hold_it(
        self, name: str, day: date, shift: int
    ) -> None:
        """DOMAIN A9: `restate` looks again at these."""
        other = day + timedelta(shift)

        if window(name, other).has(day):
            assert reached_from(name, day).has(other)

    def test_twelve_months_reach_on(self) -> None:
        assert reached_from(ROLLING, JAN) == Period(JAN, date(2027, 1, 15))
        assert reached_from(MONTH, JAN) == window(MONTH, JAN)


class TestPeriod:
    def test_both_ends_count(self) -> None:
        period = Period(JAN, FEB)

        assert [period.has(day) for day in (JAN - timedelta(1), JAN, FEB, FEB + timedelta(1))] == [
            False, True, True, False,
        ]  # fmt: skip


def test_months_follow_each_other_without_a_gap() -> None:
    """DOMAIN A9."""
    starts = [add_months(date(2026, 1, 1), n) for n in range(36)]
    windows = [window(MONTH, start) for start in starts]

    assert all(a.last + timedelta(1) == b.first for a, b in pairwise(windows))
