"""What a check is made of: an id, a title, and a search for what violates it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit import ids

PAGE = 2_000
SHOWN = 100

# What the API calls things.
PREFIXES = {
    "integration": "int", "event": "evt", "partner": "par", "lead": "led", "deal": "dea",
    "customer": "cus", "transaction": "txn", "reward": "rew", "payout": "pay",
}  # fmt: skip


class Finding(NamedTuple):
    """One violation: the public id of what it is about, and what is wrong with it."""

    id: str
    detail: str


class Invariant(NamedTuple):
    """Something that must hold over the whole database; `search` yields what breaks it."""

    id: str
    title: str
    search: Callable[[Session], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant looked at: at most 100 violations are listed, `count` tells of all."""

    id: str
    title: str
    count: int
    violations: list[dict[str, str]]

    @property
    def ok(self) -> bool:
        return self.count == 0


def look(session: Session, invariant: Invariant) -> Check:
    """Search for violations of one invariant.

    Rows that contradict each other may leave nothing to work with: that is a violation as well.
    """
    shown: list[dict[str, str]] = []
    count = 0
    try:
        for finding in invariant.search(session):
            count += 1
            if len(shown) < SHOWN:
                shown.append(finding._asdict())
    except (LookupError, TypeError, ValueError, ArithmeticError) as problem:
        count += 1
        detail = f"The rows are too broken to go on ({type(problem).__name__}: {problem})."
        shown.append(Finding(invariant.id, detail)._asdict())
    return Check(invariant.id, invariant.title, count, shown)


def about(kind: str, key: int, detail: str) -> Finding:
    """A violation of one thing, by its surrogate key."""
    return Finding(ids.encode(PREFIXES[kind], key), detail)


def each(session: Session, query: Any, kind: str, detail: str) -> Iterator[Finding]:
    """One finding a row: the first column is the key, the others fill `detail`."""
    for page in pages(session, query):
        for key, *members in page:
            yield about(kind, key, detail.format(*members))


def pages(session: Session, query: Any, size: int = PAGE) -> Iterator[Sequence[Any]]:
    """The rows of a query, a few thousand at a time, never all at once."""
    result = session.execute(query, execution_options={"yield_per": size})
    yield from result.partitions()
