from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.forms import Filter
from rewards_service.chargebee.polling import (
    CLOCK_SKEW,
    LONGEST_STRETCH,
    OVERLAP,
    SURELY_KEPT,
    VISIBILITY_LAG,
    plan_poll,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECONDS = timedelta(seconds=1)
LATEST_SHOWN = int((VISIBILITY_LAG + OVERLAP).total_seconds())


class Happened(NamedTuple):
    """An event `at` seconds after noon, in lists from `delay` seconds later on."""

    at: int
    delay: int


EVENTS = st.lists(st.builds(Happened, st.integers(0, 400_000), st.integers(0, LATEST_SHOWN)))
# Polls at these gaps; some break off after so many stretches, as a process that is killed.
POLLS = st.lists(st.tuples(st.integers(1, 200_000), st.sampled_from([None, None, 0, 1, 2])))


def poll_all(events: list[Happened], polls: list[tuple[int, int | None]]) -> set[Happened]:
    """The events that polls find, the last of them long after everything is shown."""
    seen: set[Happened] = set()
    cursor, now = NOON, NOON
    for gap, broken_off_after in [*polls, (10**6, None)]:
        now += gap * SECONDS
        for stretch in plan_poll(cursor, now).stretches[:broken_off_after]:
            seen |= {
                event
                for event in events
                if NOON + (event.at + event.delay) * SECONDS <= now
                and stretch.first_at <= NOON + event.at * SECONDS <= stretch.last_at
            }
            cursor = stretch.cursor_at
    return seen


class TestPlanPoll:
    @given(EVENTS, POLLS)
    def test_every_event_is_found_however_late_it_shows_and_however_polls_break_off(
        self, events: list[Happened], polls: list[tuple[int, int | None]]
    ) -> None:
        assert poll_all(events, polls) == set(events)

    @given(st.integers(-(10**6), 10**7))
    def test_stretches_meet_and_cursors_only_move_on(self, behind: int) -> None:
        cursor = NOON - behind * SECONDS
        stretches = plan_poll(cursor, NOON).stretches

        assert stretches[0].first_at == min(cursor, NOON - VISIBILITY_LAG) - OVERLAP
        assert stretches[-1].last_at == NOON + CLOCK_SKEW
        assert all(left.last_at == right.first_at for left, right in pairwise(stretches))
        cursors = [
            min(cursor, NOON - VISIBILITY_LAG),
            *(stretch.cursor_at for stretch in stretches),
        ]
        assert cursors == sorted(cursors)
        assert all(stretch.cursor_at <= stretch.last_at for stretch in stretches)
        assert all(s.last_at - s.first_at <= LONGEST_STRETCH + CLOCK_SKEW for s in stretches)

    def test_a_usual_poll_reads_one_stretch_and_stays_behind_the_lag(self) -> None:
        plan = plan_poll(NOON - timedelta(minutes=10), NOON)
        (stretch,) = plan.stretches

        assert stretch.cursor_at == NOON - VISIBILITY_LAG
        first, last = (int((NOON + shift).timestamp()) for shift in (-2 * OVERLAP, CLOCK_SKEW))
        assert [f.member for f in stretch.where] == ["occurred_at"]
        assert stretch.where == [
            Filter("occurred_at", "between", [stretch.first_at, stretch.last_at])
        ]
        assert (int(stretch.first_at.timestamp()), int(stretch.last_at.timestamp())) == (
            first,
            last,
        )
        assert not plan.may_miss

    @pytest.mark.parametrize("ahead", [timedelta(days=3), SECONDS, timedelta(0), -VISIBILITY_LAG])
    def test_a_cursor_younger_than_the_lag_is_not_believed(self, ahead: timedelta) -> None:
        (stretch,) = plan_poll(NOON + ahead, NOON).stretches

        assert stretch.first_at == NOON - VISIBILITY_LAG - OVERLAP
        assert stretch.cursor_at == NOON - VISIBILITY_LAG

    def test_what_chargebee_may_have_forgotten_is_said(self) -> None:
        assert plan_poll(NOON - SURELY_KEPT - SECONDS, NOON).may_miss
        assert not plan_poll(NOON - SURELY_KEPT, NOON).may_miss
