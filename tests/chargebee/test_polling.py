from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards_service.chargebee.forms import Filter
from rewards_service.chargebee.polling import OVERLAP, SURELY_KEPT, VISIBILITY_LAG, plan_poll

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECONDS = timedelta(seconds=1)
LATEST_SHOWN = int((VISIBILITY_LAG + OVERLAP).total_seconds())
PAGE = 3


class Happened(NamedTuple):
    """An event `at` seconds after noon, in lists from `delay` seconds later on."""

    at: int
    delay: int

    @property
    def occurred_at(self) -> datetime:
        return NOON + self.at * SECONDS


EVENTS = st.lists(
    st.builds(Happened, st.integers(0, 20_000), st.integers(0, LATEST_SHOWN)), max_size=40
)
# Polls at these gaps; some break off after so many pages, as a process that is killed.
POLLS = st.lists(st.tuples(st.integers(1, 9_000), st.sampled_from([None, None, 0, 1, 2])))
AN_HOUR_OFF = st.integers(-3_600, 3_600)


def poll_all(
    events: list[Happened], polls: list[tuple[int, int | None]], ours: int
) -> set[Happened]:
    """The events that polls find, the last of them long after everything is shown.

    ours: by so many seconds our clock is ahead of Chargebee's.
    """
    seen: set[Happened] = set()
    cursor, now = NOON, NOON
    for gap, broken_off_after in [*polls, (10**6, None)]:
        now += gap * SECONDS
        plan = plan_poll(cursor, now + ours * SECONDS)
        shown = sorted(
            event
            for event in events
            if event.occurred_at + event.delay * SECONDS <= now
            and plan.first_at <= event.occurred_at
        )
        pages = [shown[start : start + PAGE] for start in range(0, len(shown), PAGE)]
        for page in pages[:broken_off_after]:
            seen |= set(page)
            moved = plan.cursor_after(cursor, page[-1].occurred_at)
            assert moved >= cursor
            cursor = moved
    return seen


class TestPlanPoll:
    @settings(max_examples=60)
    @given(EVENTS, POLLS)
    def test_every_event_is_found_however_late_it_shows_and_however_polls_break_off(
        self, events: list[Happened], polls: list[tuple[int, int | None]]
    ) -> None:
        assert poll_all(events, polls, ours=0) == set(events)

    @settings(max_examples=60)
    @given(st.lists(st.integers(0, 20_000), max_size=40), POLLS, AN_HOUR_OFF)
    def test_a_clock_of_ours_that_is_wrong_costs_no_event(
        self, times: list[int], polls: list[tuple[int, int | None]], ours: int
    ) -> None:
        events = [Happened(at, 0) for at in times]

        assert poll_all(events, polls, ours) == set(events)

    def test_a_usual_poll_has_again_what_is_not_settled(self) -> None:
        cursor = NOON - timedelta(minutes=20)
        plan = plan_poll(cursor, NOON)

        assert plan.first_at == cursor
        assert plan.where == [Filter("occurred_at", "after", cursor - SECONDS)]
        assert plan.cursor_after(cursor, NOON) == NOON - VISIBILITY_LAG - OVERLAP
        assert plan.cursor_after(cursor, cursor + SECONDS) == cursor + SECONDS
        assert plan.cursor_after(cursor, cursor - SECONDS) == cursor
        assert plan.cursor_after(cursor, None) == cursor
        assert not plan.may_miss

    @pytest.mark.parametrize("ahead", [timedelta(days=3), SECONDS, timedelta(0), -VISIBILITY_LAG])
    def test_a_cursor_younger_than_what_is_settled_is_not_believed(self, ahead: timedelta) -> None:
        assert plan_poll(NOON + ahead, NOON).first_at == NOON - VISIBILITY_LAG - OVERLAP

    def test_what_chargebee_may_have_forgotten_is_said(self) -> None:
        assert plan_poll(NOON - SURELY_KEPT - SECONDS, NOON).may_miss
        assert not plan_poll(NOON - SURELY_KEPT, NOON).may_miss
