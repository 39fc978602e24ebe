"""Two streams in the order of time, merged: memory holds one second of each side (pure)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from rewards_service.chargebee.errors import Garbled
from rewards_service.reconciliation.sides import Side


class Pair(NamedTuple):
    """What both sides have of one object; None where a side has nothing."""

    there: Side | None
    here: Side | None


class Second(NamedTuple):
    """All objects dated within one second, by id."""

    dated_at: datetime
    pairs: list[Pair]


def merge(there: Iterable[Side], here: Iterable[Side]) -> Iterator[Second]:
    """Pair the objects of both sides by id. Both must come by `dated_at`, ids in any order.

    An object dated otherwise on the other side comes twice, each time alone. Raises Garbled when
    Chargebee's list is not in order.
    """
    left, right = _seconds(there), _seconds(here)
    first, second = next(left, None), next(right, None)
    while first is not None or second is not None:
        at = min(group[0] for group in (first, second) if group is not None)
        mine: dict[str, Side] = {}
        yours: dict[str, Side] = {}
        if first is not None and first[0] == at:
            yours, first = first[1], next(left, None)
        if second is not None and second[0] == at:
            mine, second = second[1], next(right, None)
        keys = sorted(yours.keys() | mine.keys())
        yield Second(at, [Pair(yours.get(key), mine.get(key)) for key in keys])


def _seconds(sides: Iterable[Side]) -> Iterator[tuple[datetime, dict[str, Side]]]:
    last: datetime | None = None
    for at, group in groupby(sides, key=lambda side: side.dated_at):
        if last is not None and at < last:
            raise Garbled("The list is not in the order of dates that was asked for.")
        last = at
        yield at, {side.external_id: side for side in group}
