"""Rewards week by week for the overview, at a price that does not grow with the books."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from rewards_service.kit.clock import start_of_day, utc_now
from rewards_service.reports import periods, series
from rewards_service.rewards.models import LedgerEntry, Reward

WEEKS = 12
# As many entries are summed for a page; of more there is only the number of rewards.
MOST_SUMMED = 20_000
_UTC = "UTC"


class Week(NamedTuple):
    """A week by its Monday; `amounts` are (currency, minor units), None where nobody summed."""

    first: date
    rewards: int
    amounts: Sequence[tuple[str, int]] | None


def last_weeks(session: Session) -> list[Week]:
    """The last WEEKS weeks of UTC, the present one included, the oldest first.

    As the report has them: rewards and net amounts by when things happened. Where that would read
    more than MOST_SUMMED entries, the rewards that were made in each week are counted instead.
    """
    last = periods.first_of(periods.WEEK, utc_now().date())
    firsts = [last - timedelta(weeks=ago) for ago in range(WEEKS - 1, -1, -1)]
    return _summed(session, firsts) if _are_few(session, firsts[0]) else _counted(session, firsts)


def _are_few(session: Session, since: date) -> bool:
    some = (
        select(LedgerEntry.id)
        .where(LedgerEntry.happened_at >= start_of_day(since, _UTC))
        .limit(MOST_SUMMED + 1)
        .subquery()
    )
    return session.scalars(select(func.count()).select_from(some)).one() <= MOST_SUMMED


def _summed(session: Session, firsts: Sequence[date]) -> list[Week]:
    rewards: Counter[date] = Counter()
    amounts: dict[date, list[tuple[str, int]]] = defaultdict(list)
    for row in series.rows(session, {"interval": periods.WEEK, "timezone": _UTC}, None):
        rewards[row["period"]] += row["rewards"]
        if row["amount_minor"]:
            amounts[row["period"]].append((row["currency"], row["amount_minor"]))
    return [Week(first, rewards[first], amounts[first]) for first in firsts]


def _counted(session: Session, firsts: Sequence[date]) -> list[Week]:
    """By when rewards were made, in one index."""
    parts: list[Any] = [
        select(literal(place), func.count(Reward.id)).where(
            Reward.created_at >= start_of_day(first, _UTC),
            Reward.created_at < start_of_day(first + timedelta(weeks=1), _UTC),
        )
        for place, first in enumerate(firsts)
    ]
    found = {int(place): int(number) for place, number in session.execute(union_all(*parts))}
    return [Week(first, found[place], None) for place, first in enumerate(firsts)]
