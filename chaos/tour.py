"""One named crash point after the other, under load: a process ends there, and another goes on."""

import re
from collections.abc import Sequence

from chaos.answers import Answer, figures
from chaos.lab import Figures, Lab, Load
from chaos.processes import ROOT

RATE = 40.0
EVENTS = 200
SECONDS_EACH = 45.0
STATEMENTS = ("sql", "commit", "committed")


def named_points(prefix: str = "") -> list[str]:
    """Every crash point that stands in the code, in the order of files and lines."""
    found = []
    for path in sorted((ROOT / "rewards_service").rglob("*.py")):
        found += re.findall(r'crash_point\("([a-z_.]+)"\)', path.read_text())
    return [point for point in dict.fromkeys(found) if point.startswith(prefix)]


def tour(lab: Lab, points: Sequence[str], rounds: int, tag: str = "points") -> Figures:
    """End a process at each point, `rounds` times, at one of the first comings to it by lot.

    `missed`: points that nobody came to, though events kept coming.
    """
    chosen = [point for _ in range(rounds) for point in lab.chance.sample(points, len(points))]
    load = _Load(lab, tag)
    missed = [point for point in chosen if not _crash(lab, load, point)]
    lab.disarm()
    crashes = len(chosen) - len(missed)
    found = figures(load.finish())
    return {"points": len(points), "crashes": crashes, "missed": missed, **found}


class _Load:
    """Events that keep coming: when a stream is at its end, the next one begins."""

    def __init__(self, lab: Lab, tag: str) -> None:
        self._lab = lab
        self._tag = tag
        self._answers: list[Answer] = []
        self._turns = 0
        self._load = self._next()

    def keep_up(self) -> None:
        if not self._load.is_running:
            self._answers += self._lab.finish(self._load)
            self._load = self._next()

    def finish(self) -> list[Answer]:
        return self._answers + self._lab.finish(self._load)

    def _next(self) -> Load:
        self._turns += 1
        return self._lab.load(f"{self._tag}-{self._turns}", EVENTS, RATE)


def _crash(lab: Lab, load: _Load, point: str) -> bool:
    """Whether a process has ended at this point."""
    fired = lab.crash_at(point, lab.chance.randint(1, 60 if point in STATEMENTS else 2))

    def look() -> bool:
        load.keep_up()
        return fired()

    if not lab.stack.wait_for(look, SECONDS_EACH):
        return False
    lab.note_kill()
    return True
