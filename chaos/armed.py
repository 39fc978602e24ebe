"""Run a program of the service with its crash points armed: `python -m chaos.armed MODULE ...`.

RS_CRASH=<point>:<n> ends the process, as SIGKILL would, when it comes to that point for the n-th
time. RS_CRASH=@<file> reads `<id> <point> <n>` from a file instead, at each point, so that a run
may change it; a plan is carried out once, by the first process that comes so far, which notes it in
`<file>.<id>`. The point `sql` is the end of any statement of a transaction, `commit` the moment
before it is committed, `committed` the one after.
"""

import os
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, event

from rewards_service.kit import crash_points

VARIABLE = "RS_CRASH"
EXIT_STATUS = 137  # what a shell says of a process that was killed
Reach = Callable[[str], None]


class Plan(NamedTuple):
    """End at coming to `point` so often; `note` is made by the one process that does."""

    name: str
    point: str
    times: int
    note: Path | None


class Crash:
    """Counts how often this process came to the point of the plan in force."""

    def __init__(self, wanted: str) -> None:
        self._file = Path(wanted[1:]) if wanted.startswith("@") else None
        self._fixed = None if self._file else _fixed(wanted)
        self._counts: Counter[tuple[str, str]] = Counter()

    def reach(self, point: str) -> None:
        plan = self._fixed or self._planned()
        if plan is None or plan.point != point:
            return
        self._counts[plan.name, point] += 1
        if self._counts[plan.name, point] >= plan.times and _is_mine(plan):
            os._exit(EXIT_STATUS)

    def _planned(self) -> Plan | None:
        """The plan in the file; none while there is no file or nothing in it."""
        if self._file is None:
            return None
        try:
            name, point, count = self._file.read_text().split()
        except (OSError, ValueError):
            return None
        return Plan(name, point, int(count), self._file.with_name(f"{self._file.name}.{name}"))


def _fixed(wanted: str) -> Plan:
    point, _, count = wanted.rpartition(":")
    if not point or not count.isdigit():
        raise SystemExit(f"{VARIABLE} must be <point>:<n> or @<file>, not {wanted!r}.")
    return Plan("", point, int(count), None)


def _is_mine(plan: Plan) -> bool:
    if plan.note is None:
        return True
    try:
        os.close(os.open(plan.note, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def arm(wanted: str) -> None:
    """Let every crash point of this process, and each statement, follow a plan from now on."""
    reach = Crash(wanted).reach
    setattr(crash_points, "crash_point", reach)  # noqa: B010 - mypy sees a constant

    @event.listens_for(Engine, "after_cursor_execute")
    def _after_statement(*_: Any) -> None:
        reach("sql")

    @event.listens_for(Engine, "commit")
    def _before_commit(*_: Any) -> None:
        reach("commit")

    from rewards_service.kit import db

    db.transaction = _told_of_commits(db.transaction, reach)


def _told_of_commits(transaction: Any, reach: Reach) -> Any:
    @contextmanager
    def told(engine: Engine) -> Iterator[Any]:
        with transaction(engine) as session:
            yield session
        reach("committed")

    return told


def main() -> None:
    wanted = os.environ.get(VARIABLE, "")
    if wanted:
        arm(wanted)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
