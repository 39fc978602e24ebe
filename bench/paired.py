"""All subjects under the same load in turns, A B C ... C B A: requests per second, CPU of each.

Rounds in which the bare route moves by more than a quarter from its median are noise and discarded
for everybody; more are run in their place. Rows are counted afterwards.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from bench import load, servers
from bench.bodies import Source
from bench.ground import Ground
from bench.subjects import Bare, Ours, Subject

CONNECTIONS = 8
WARM_SECONDS = 1.0
MOST_MOVED = 0.25  # of the bare route from its median

Serve = Callable[[int], AbstractContextManager[psutil.Process]]


@dataclass
class Round:
    """One subject under load for one round. Microseconds of CPU are per request.

    foreign_cores: what neither subject, servers nor client used. distinct: payments sent, warm-up
    included, without the deliberate repeats.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    web_us: float
    database_us: float
    queue_us: float
    foreign_cores: float
    distinct: int

    @property
    def total_us(self) -> float:
        return self.web_us + self.database_us


def measure(
    ground: Ground, subjects: Sequence[Subject], rounds: int, seconds: float
) -> dict[str, Any]:
    """Every round of every subject that was made, and which rounds count.

    {"rounds": [{subject: Round as a dict}], "kept": [numbers of rounds], "distinct": {subject: n},
    "missing": {peer: why}}. A peer that fails under load is missing from all rounds.
    """
    found: list[dict[str, Round]] = []
    missing: dict[str, str] = {}
    while len(kept := steady([one[Bare.name].per_second for one in found])) < rounds:
        if len(found) >= 2 * rounds:
            break
        number = len(found)
        order = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        found.append({})
        for subject in order:
            try:
                found[-1][subject.name] = _round(ground, subject, seconds, f"r{number}x")
            except RuntimeError as problem:
                if subject.peer is None:
                    raise
                print(f"{subject.label} failed: {problem}", flush=True)
                missing[subject.label] = "it failed under load"
        subjects = [subject for subject in subjects if subject.label not in missing]
    distinct = {one.name: sum(some[one.name].distinct for some in found) for one in subjects}
    for subject in subjects:
        recorded = subject.recorded()
        if recorded is not None and recorded != distinct[subject.name]:
            raise SystemExit(f"{subject.label}: {distinct[subject.name]} sent, {recorded} kept.")
    ground.clear_queue()
    rows = [{one.name: asdict(some[one.name]) for one in subjects} for some in found]
    return {
        "rounds": rows, "kept": kept, "distinct": distinct, "missing": missing,
        "seconds": seconds,
    }  # fmt: skip


def steady(bare: Sequence[float]) -> list[int]:
    """The rounds in which the bare route stayed within a quarter of its median.

    Of two that lie far apart neither does: where none is steady the nearest one counts.
    """
    if not bare:
        return []
    middle = statistics.median(bare)
    moved = [abs(value / middle - 1) for value in bare]
    kept = [number for number, one in enumerate(moved) if one <= MOST_MOVED]
    return kept or [moved.index(min(moved))]


def _round(ground: Ground, subject: Subject, seconds: float, mark: str) -> Round:
    ground.clear_queue()
    found = under_load(subject.serve, subject.source, ground.postgres, seconds, mark,
                       ground.queue_cpu_seconds)  # fmt: skip
    if isinstance(subject, Bare):
        found.database_us = 0.0  # what it does by itself meanwhile
    print(f"{mark} {subject.label}: {found.per_second:.0f}/s, {found.total_us:.0f} us", flush=True)
    return found


def under_load(
    serve: Serve,
    source: Callable[[str], Source],
    postgres: psutil.Process,
    seconds: float,
    mark: str,
    queue: Callable[[], float] = lambda: 0.0,
) -> Round:
    """Serve afresh, warm up, load for so many seconds."""
    port = servers.free_port()
    with serve(port) as process:
        first = source(f"{mark}w")
        warm = load.closed(port, first, WARM_SECONDS, CONNECTIONS)
        meters = [lambda: servers.cpu_seconds(process), lambda: servers.cpu_seconds(postgres),
                  queue, _busy_seconds]  # fmt: skip
        before = [meter() for meter in meters]
        sent = source(mark)
        done = load.closed(port, sent, seconds, CONNECTIONS)
        after = [meter() for meter in meters]
    web, database, waiting, busy = (b - a for a, b in zip(before, after, strict=True))
    each = 1e6 / done.requests
    return Round(
        done.per_second, done.ms(50), done.ms(99), web * each, database * each, waiting * each,
        max(busy - web - database - waiting - done.cpu_seconds, 0.0) / done.seconds,
        first.distinct(warm.requests) + sent.distinct(done.requests),
    )  # fmt: skip


def _busy_seconds() -> float:
    """CPU that anybody on this machine has used."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def median(found: Mapping[str, Any], subject: str, name: str) -> float:
    """Of the rounds that count. name: of a field of Round, or total_us."""
    return statistics.median(_values(found, subject, name))


def ratios(found: Mapping[str, Any], one: str, other: str, name: str = "per_second") -> list[float]:
    """One subject's figure by the other's, sorted, of each round that counts."""
    pairs = zip(_values(found, one, name), _values(found, other, name), strict=True)
    return sorted(a / b for a, b in pairs)


def _values(found: Mapping[str, Any], subject: str, name: str) -> list[float]:
    rows = [Round(**found["rounds"][number][subject]) for number in found["kept"]]
    return [float(getattr(row, name)) for row in rows]


def capacity(ours: Ours, seconds: float, mark: str) -> load.Done:
    """The most that our web processes acknowledge alone, closed loop."""
    port = servers.free_port()
    with ours.serve(port):
        load.closed(port, ours.source(f"{mark}w"), WARM_SECONDS, CONNECTIONS)
        return load.closed(port, ours.source(mark), seconds, CONNECTIONS)
