"""The parts of `make bench`, each with what it measures on fresh servers, at two lengths."""

import statistics
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import create_engine

from bench import backlog, checked, drain, finish, fresh, latency, machine, paired, restpage, world
from bench import subjects as subjects_of
from bench.ground import ground
from bench.subjects import Ours


@dataclass(frozen=True)
class Length:
    """How long each part is measured."""

    rounds: int
    seconds: float  # of a round
    open_seconds: float  # of an open loop
    drained: int  # payments of one backlog in this process
    drains: int
    batched: int
    singles: int
    backlog: int
    payments: int  # end to end
    page_rounds: int
    page_seconds: float
    times: int  # from nothing


FULL = Length(5, 10, 60, 20_000, 3, 10_000, 1_000, 100_000, 2_000, 5, 5, 3)
SHORT = Length(2, 2, 4, 1_000, 1, 500, 60, 2_000, 100, 1, 2, 1)
# To see that everything works, on a machine that is busy with something else.
TINY = Length(1, 1, 2, 200, 1, 100, 20, 200, 40, 1, 1, 1)
LENGTHS = {"full": FULL, "short": SHORT, "tiny": TINY}


class Part(NamedTuple):
    what: str
    measure: Callable[[Length, bool], dict[str, Any]]


def _paired(length: Length, with_peers: bool) -> dict[str, Any]:
    with ground() as base:
        subjects, missing = subjects_of.found(base, with_peers)
        for subject in list(subjects):
            try:
                subject.make()
            except subprocess.CalledProcessError:
                if subject.peer is None:
                    raise
                missing[subject.label] = "its set-up failed"
                subjects.remove(subject)
        found = paired.measure(base, subjects, length.rounds, length.seconds)
        [ours] = [one for one in subjects if isinstance(one, Ours)]
        engine = create_engine(ours.url)
        checked.settle(engine)
        checked.check(engine, found["distinct"][ours.name])
        engine.dispose()
        labels = {one.name: one.label for one in subjects}
        versions = {one.name: one.peer.versions for one in subjects if one.peer}
        found |= {"labels": labels, "missing": missing | found["missing"], "versions": versions}
        return found | {"machine": machine.describe(base)}


def _drain(length: Length, _: bool) -> dict[str, Any]:
    lean = [drain.measure(length.drained, form=world.lean)[0] for _ in range(length.drains)]
    others = {
        "whole": drain.measure(length.drained)[0],
        "counting": drain.measure(length.drained, form=world.lean, first_months=12)[0],
    }
    profile = drain.measure(min(length.drained, 6_000), True, form=world.lean)[1]
    cpu = [(one.cpu_seconds + one.database_seconds) / one.events * 1e6 for one in lean]
    return {
        "lean": [asdict(one) for one in lean],
        "others": {name: asdict(one) for name, one in others.items()},
        "cpu_us": statistics.median(cpu),
        "rate": statistics.median(one.rate for one in lean),
        "profile": profile,
    }


PARTS = {
    "paired": Part("all subjects under the same load in turns", _paired),
    "latency": Part("open loop", lambda length, _: latency.measure(length.open_seconds)),
    "drain": Part("a backlog in one process", _drain),
    "batches": Part(
        "batches, and one by one", lambda length, _: backlog.compare(length.batched, length.singles)
    ),
    "backlog": Part(
        "a long backlog, one and two processes", lambda length, _: backlog.measure(length.backlog)
    ),
    "finish": Part("end to end", lambda length, _: finish.measure(length.payments)),
    "page": Part(
        "a page of rewards over the API",
        lambda length, _: restpage.measure(length.drained, length.page_rounds, length.page_seconds),
    ),
    "fresh": Part("from nothing", lambda length, _: fresh.measure(length.times)),
}
