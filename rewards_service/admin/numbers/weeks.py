"""Rewards week by week for the overview, at a price that does not grow with the books."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from rewards_service.kit.clock import start_of_day, utc_now
from rewards_service.reports import periods, series
from rewards_service.rewards.models import Reward

WEEKS = 12
# As many rewards are summed from the ledger for a page; of more only their number is shown.
MOST_SUMMED = 10_000
_UTC = "UTC"


class Week(NamedTuple):
    """A week by its Monday; `amounts` are (currency, minor units), None where nobody summed."""

    first: date
    rewards: int
    amounts: Sequence[tuple[str, int]] | None


def last_weeks(session: Session) -> list[Week]:
    """The last WEEKS weeks of UTC, the present one included, the oldest first.

    `rewards` are those that were made, `amounts` what was earned, taken back and adjusted then, as
    the report says it.
    """
    last = periods.first_of(periods.WEEK, utc_now().date())
    firsts = [last - timedelta(weeks=ago) for ago in range(WEEKS - 1, -1, -1)]
    made = _made(session, firsts)
    amounts = _amounts(session) if sum(made) <= MOST_SUMMED else None
    return [
        Week(first, number, None if amounts is None else amounts.get(first, []))
        for first, number in zip(firsts, made, strict=True)
    ]


def _made(session: Session, firsts: Sequence[date]) -> list[int]:
    """How many rewards were made in each week: counted in an index by time."""
    parts: list[Any] = [
        select(literal(place), func.count(Reward.id)).where(
            Reward.created_at >= start_of_day(first, _UTC),
            Reward.created_at < start_of_day(first + timedelta(weeks=1), _UTC),
        )
        for place, first in enumerate(firsts)
    ]
    found = {int(place): int(number) for place, number in session.execute(union_all(*parts))}
    return [found[place] for place in range(len(firsts))]


def _amounts(session: Session) -> dict[date, list[tuple[str, int]]]:
    found: dict[date, list[tuple[str, int]]] = defaultdict(list)
    wanted = {"interval": periods.WEEK, "timezone": _UTC}
    for row in series.rows(session, wanted, None):
        if row["amount_minor"]:
            found[row["period"]].append((row["currency"], row["amount_minor"]))
    return found
