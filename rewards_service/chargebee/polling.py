"""Which part of Chargebee's event log to read next, so that no event is missed (pure).

Chargebee shows an event in lists up to some minutes after it occurred, in any order. So what is
younger than the visibility lag and an overlap together is read but not relied on: the cursor stays
behind it, and the next reading has it again. Events that are read twice are duplicates to the
inbox. What is older is settled, and not read again, however much of it there is.

No clock of ours is relied on for more than that: a reading has no end but that of the log, and the
cursor never passes the newest event that was read. A clock that is wrong, by however much, hides no
event that shows in time.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from rewards_service.chargebee.forms import Filter

VISIBILITY_LAG = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)  # beyond what Chargebee says, and for clocks that differ
SETTLED_AFTER = VISIBILITY_LAG + OVERLAP
# Chargebee shows events of 90 days in its pages, and says nothing of the API beyond that.
SURELY_KEPT = timedelta(days=90)
_SECOND = timedelta(seconds=1)


class Plan(NamedTuple):
    """One reading of the log: all events from `first_at` on, oldest first, begun at `read_at`.

    `may_miss`: some of it is older than 90 days, and Chargebee may have forgotten it.
    """

    first_at: datetime
    read_at: datetime
    may_miss: bool

    @property
    def where(self) -> list[Filter]:
        """The filter for the events list, to be read oldest first."""
        return [Filter("occurred_at", "after", self.first_at - _SECOND)]

    def cursor_after(self, cursor_at: datetime, last_at: datetime | None) -> datetime:
        """The cursor to keep once everything up to an event of `last_at` was read and committed.

        last_at: None when nothing was read. It never moves back.
        """
        if last_at is None:
            return cursor_at
        return max(cursor_at, min(last_at, self.read_at - SETTLED_AFTER))


def plan_poll(cursor_at: datetime, now: datetime) -> Plan:
    """What to read at `now`, when nothing was missed before `cursor_at`.

    cursor_at: as the last reading left it; at first, when the integration was made. One that is
    younger than what is settled is not believed: a clock went wrong, or nothing was read yet.
    """
    first_at = min(cursor_at, now - SETTLED_AFTER)
    return Plan(first_at, now, may_miss=now - cursor_at > SURELY_KEPT)
