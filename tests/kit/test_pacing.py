from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.pacing import MINUTE_US, pace, pause, reserve

LIMITS = st.integers(1, 5_000)
# Gaps between the moments of asking: all at once, close together, and long silences.
GAPS = st.lists(st.sampled_from([0, 1, 1_000, 400_000, 5_000_000, 70_000_000]), max_size=300)


def granted(limit: int, gaps: list[int], longest_us: int) -> list[int]:
    """When the calls go that ask one after another."""
    rate, now, following = pace(limit), 10**15, 0
    times = []
    for gap in gaps:
        now += gap
        place = reserve(following, now, rate, longest_us)
        following = place.next_us
        if place.granted:
            times.append(now + place.wait_us)
    return times


def busiest_minute(times: list[int]) -> int:
    """The most calls in any 60 seconds, however they are laid."""
    ordered = sorted(times)
    return max(
        (bisect_left(ordered, start + MINUTE_US) - at for at, start in enumerate(ordered)),
        default=0,
    )


class TestReserve:
    @given(LIMITS, GAPS, st.sampled_from([0, 1_000_000, 10**12]))
    def test_no_minute_has_more_calls_than_the_limit(
        self, limit: int, gaps: list[int], longest_us: int
    ) -> None:
        assert busiest_minute(granted(limit, gaps, longest_us)) <= limit

    @pytest.mark.parametrize("limit", [150, 1_000, 3_500])
    def test_who_asks_all_the_time_uses_nine_tenths_of_the_limit(self, limit: int) -> None:
        times = granted(limit, [0] * (limit * 3), 10**12)

        assert busiest_minute(times) <= limit * 0.97
        assert len([t for t in times if t < times[0] + 2 * MINUTE_US]) >= 2 * limit * 0.9

    def test_a_burst_goes_at_once_then_one_by_one(self) -> None:
        rate = pace(150)
        times = granted(150, [0] * 8, 10**12)

        assert [time - times[0] for time in times[: rate.burst]] == [0] * rate.burst
        assert times[rate.burst] - times[0] == rate.interval_us
        assert times[rate.burst + 1] - times[rate.burst] == rate.interval_us

    @given(LIMITS, GAPS)
    def test_a_refused_call_leaves_the_places_as_they_are(
        self, limit: int, gaps: list[int]
    ) -> None:
        rate, now, following = pace(limit), 10**15, 0
        for gap in gaps:
            now += gap
            place = reserve(following, now, rate, 0)
            assert place.granted == (place.wait_us == 0)
            assert place.granted or place.next_us == following
            following = place.next_us

    @given(LIMITS, st.integers(0, 10**15))
    def test_whoever_comes_after_a_long_silence_need_not_wait(
        self, limit: int, following: int
    ) -> None:
        assert reserve(following, following + MINUTE_US, pace(limit), 0).wait_us == 0


class TestPause:
    @given(LIMITS, GAPS, st.integers(0, 300_000_000))
    def test_nobody_calls_before_it_ends_and_no_burst_follows(
        self, limit: int, gaps: list[int], pause_us: int
    ) -> None:
        rate, now = pace(limit), 10**15
        following = pause(now - MINUTE_US, now, pause_us)
        times = []
        for gap in gaps:
            place = reserve(following, now, rate, 10**12)
            following = place.next_us
            times.append(now + place.wait_us)
            now += min(gap, 1_000)

        assert all(time >= 10**15 + pause_us for time in times)
        if pause_us:
            assert len(set(times[:2])) == min(len(times), 2)

    def test_it_never_shortens_a_longer_one(self) -> None:
        assert pause(500, 100, 10) == 500
