"""Which stretch of Chargebee's event log to read next, so that no event is missed (pure).

Chargebee shows an event in lists up to some minutes after it occurred, in any order. So the newest
stretch is read but not relied on: the cursor stays a visibility lag behind the time of reading, and
each reading begins an overlap before the cursor. Events that are read twice are duplicates to the
inbox. An event that shows within lag and overlap together is always found by the next reading.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rewards_service.chargebee.forms import Filter, between

VISIBILITY_LAG = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)
# Chargebee's clock and ours differ a little; an event must not be too young to be read.
CLOCK_SKEW = timedelta(minutes=1)
# After a long outage: progress is kept each time a stretch is done.
LONGEST_STRETCH = timedelta(days=1)
# Chargebee shows events of 90 days in its pages, and says nothing of the API beyond that.
SURELY_KEPT = timedelta(days=90)


class Stretch(NamedTuple):
    """Events from `first_at` to `last_at`, both included.

    `cursor_at`: the cursor to keep once all of it was read and committed.
    """

    first_at: datetime
    last_at: datetime
    cursor_at: datetime

    @property
    def where(self) -> list[Filter]:
        """The filter for the events list, to be read oldest first."""
        return [between("occurred_at", self.first_at, self.last_at)]


class Plan(NamedTuple):
    """The stretches to read, one after another. `may_miss`: some of it is older than 90 days."""

    stretches: Sequence[Stretch]
    may_miss: bool


def plan_poll(cursor_at: datetime, now: datetime) -> Plan:
    """What to read at `now`, up to which nothing was missed before `cursor_at`.

    cursor_at: that of the last stretch read; at first, when the integration was made. One that is
    younger than the visibility lag is not believed: a clock went wrong, or nothing was read yet.
    Stretches meet; the last one ends at `now` with some allowance for clocks, and its cursor is
    `now` without the visibility lag.
    """
    settled_at = now - VISIBILITY_LAG
    cursor_at = min(cursor_at, settled_at)
    first_at = cursor_at - OVERLAP
    stretches = []
    while now - first_at > LONGEST_STRETCH:
        last_at = first_at + LONGEST_STRETCH
        kept_at = max(min(last_at, settled_at), cursor_at)
        stretches.append(Stretch(first_at, last_at, kept_at))
        first_at = last_at
    stretches.append(Stretch(first_at, now + CLOCK_SKEW, settled_at))
    return Plan(stretches, may_miss=now - cursor_at > SURELY_KEPT)
