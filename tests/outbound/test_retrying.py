from datetime import UTC, datetime, timedelta

import pytest

from rewards_service.outbound.retrying import MOST_TRIES, WAITS_SECONDS, asked_wait, wait_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class TestWaitAfter:
    def test_the_waits_come_to_three_days(self) -> None:
        assert 71 < sum(WAITS_SECONDS) / 3_600 < 73
        assert list(WAITS_SECONDS) == sorted(WAITS_SECONDS)

    @pytest.mark.parametrize("tries", range(1, MOST_TRIES))
    def test_each_is_up_to_a_tenth_shorter_or_longer(self, tries: int) -> None:
        middle = timedelta(seconds=WAITS_SECONDS[tries - 1])
        shortest, longest = wait_after(tries, 0.0), wait_after(tries, 1.0)

        assert wait_after(tries, 0.5) == middle
        assert (shortest, longest) == (middle * 0.9, middle * 1.1)

    def test_after_the_last_there_is_none(self) -> None:
        assert wait_after(MOST_TRIES, 0.5) is None


class TestAskedWait:
    @pytest.mark.parametrize(
        ("status", "header", "seconds"),
        [(429, "30", 30), (503, "30", 30), (503, "999999", 3600), (429, "0", 1), (503, "x", None),
         (503, None, None), (500, "30", None), (200, "30", None), (None, "30", None),
         (429, "Thu, 01 Jan 2026 00:00:20 GMT", 20)],
    )  # fmt: skip
    def test_only_who_is_throttling_may_ask(
        self, status: int | None, header: str | None, seconds: int | None
    ) -> None:
        wanted = None if seconds is None else timedelta(seconds=seconds)

        assert asked_wait(status, header, NOW) == wanted
