from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.backoff import (
    LONGEST_RETRY_AFTER,
    LONGEST_SECONDS,
    backoff_seconds,
    retry_after_seconds,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class TestBackoffSeconds:
    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_it_waits_longer_each_time_but_never_long(self, attempt: int, chance: float) -> None:
        wait = backoff_seconds(attempt, chance)

        assert 0.25 <= wait <= LONGEST_SECONDS
        assert backoff_seconds(attempt + 1, chance) >= wait

    def test_it_doubles(self) -> None:
        assert [backoff_seconds(attempt, 1.0) for attempt in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]

    def test_chance_halves_it_at_most(self) -> None:
        assert backoff_seconds(3, 0.0) == backoff_seconds(3, 1.0) / 2


class TestRetryAfterSeconds:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0.0),
            (" 7 ", 7.0),
            ("1.5", 1.5),
            ("999999999", LONGEST_RETRY_AFTER),
            ("Tue, 10 Mar 2026 12:00:30 GMT", 30.0),
            ("Tue, 10 Mar 2026 11:00:00 GMT", 0.0),
            ("Tue, 10 Mar 2099 11:00:00 GMT", LONGEST_RETRY_AFTER),
        ],
    )
    def test_it_reads_seconds_and_dates(self, value: str, seconds: float) -> None:
        assert retry_after_seconds(value, NOON) == seconds

    @pytest.mark.parametrize(
        "value",
        [None, "", "soon", "-1", "1e9", "nan", "inf", "9" * 400, "Tue, 10 Mar 2026", "٣"],
    )
    def test_it_says_nothing_of_what_it_cannot_read(self, value: str | None) -> None:
        assert retry_after_seconds(value, NOON) is None

    @given(st.text(max_size=40))
    def test_no_text_breaks_it_or_asks_for_more_than_a_day(self, value: str) -> None:
        seconds = retry_after_seconds(value, NOON)

        assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER
