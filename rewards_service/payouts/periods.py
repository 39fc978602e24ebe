"""On which days a schedule makes its drafts (pure)."""

from datetime import date, timedelta

MONTHLY, QUARTERLY, THRESHOLD = "monthly", "quarterly", "threshold"
QUARTER_MONTHS = (1, 4, 7, 10)


def last_due(kind: str, day: int, today: date) -> date:
    """The newest day, up to `today`, on which a schedule is to run.

    Monthly: on `day` (1 to 28) of each month; quarterly: of January, April, July and October;
    threshold: every day.
    """
    if kind == THRESHOLD:
        return today
    due = today.replace(day=day)
    if due > today:
        due = _month_before(due)
    while kind == QUARTERLY and due.month not in QUARTER_MONTHS:
        due = _month_before(due)
    return due


def next_due(kind: str, day: int, today: date) -> date:
    """The first day after `today` on which a schedule is to run."""
    due = today + timedelta(days=1)
    while last_due(kind, day, due) != due:
        due += timedelta(days=1)
    return due


def _month_before(due: date) -> date:
    before = due.replace(day=1) - timedelta(days=1)
    return before.replace(day=due.day)
