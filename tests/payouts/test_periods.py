from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.payouts.periods import last_due, next_due

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
kinds = st.sampled_from(["monthly", "quarterly", "threshold"])


class TestLastDue:
    @pytest.mark.parametrize(
        ("kind", "day", "today", "expected"),
        [
            ("monthly", 1, "2026-11-01", "2026-11-01"),
            ("monthly", 1, "2026-11-30", "2026-11-01"),
            ("monthly", 28, "2026-03-27", "2026-02-28"),
            ("monthly", 15, "2026-01-14", "2025-12-15"),
            ("quarterly", 1, "2026-09-30", "2026-07-01"),
            ("quarterly", 1, "2026-10-01", "2026-10-01"),
            ("quarterly", 5, "2026-01-04", "2025-10-05"),
            ("threshold", 1, "2026-05-17", "2026-05-17"),
        ],
    )
    def test_quarters_begin_in_january_april_july_and_october(
        self, kind: str, day: int, today: str, expected: str
    ) -> None:
        """Kiflo's page says "September 1st"; the quarter begins in October."""
        found = last_due(kind, day, date.fromisoformat(today))

        assert found == date.fromisoformat(expected)

    @given(kinds, st.integers(1, 28), days)
    def test_the_next_day_is_the_first_on_which_the_last_one_changes(
        self, kind: str, day: int, today: date
    ) -> None:
        following = next_due(kind, day, today)

        assert last_due(kind, day, today) <= today < following
        assert last_due(kind, day, following) == following
        assert last_due(kind, day, following - timedelta(days=1)) == last_due(kind, day, today)
