from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit import clock


class TestUtcNow:
    def test_is_aware_and_in_utc(self) -> None:
        assert clock.utc_now().utcoffset() == timedelta(0)


class TestFromEpoch:
    def test_counts_seconds_from_1970_in_utc(self) -> None:
        assert clock.from_epoch(1_769_848_200) == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
        assert clock.from_epoch(clock.YEAR_2000) == datetime(2000, 1, 1, tzinfo=UTC)
        assert clock.from_epoch(clock.YEAR_2100) == datetime(2100, 1, 1, tzinfo=UTC)


class TestRfc3339:
    def test_is_utc_whatever_the_zone(self) -> None:
        berlin = timezone(timedelta(hours=1))

        assert clock.rfc3339(datetime(2026, 1, 31, 9, 30, tzinfo=berlin)) == "2026-01-31T08:30:00Z"

    def test_has_fractions_only_when_there_are_any(self) -> None:
        at = datetime(2026, 1, 31, 8, 30, 0, 1, tzinfo=UTC)

        assert clock.rfc3339(at) == "2026-01-31T08:30:00.000001Z"

    @given(st.integers(clock.YEAR_2000, clock.YEAR_2100 - 1))
    def test_reads_back(self, seconds: int) -> None:
        at = clock.from_epoch(seconds)

        assert datetime.fromisoformat(clock.rfc3339(at)) == at
