"""One named crash point after the other, under load: a process ends there, and another goes on."""

import re
from collections.abc import Sequence

from chaos.answers import figures
from chaos.lab import Figures, Lab
from chaos.processes import ROOT

RATE = 40.0
SECONDS_EACH = 12.0
STATEMENTS = ("sql", "commit", "committed")


def named_points(prefix: str = "") -> list[str]:
    """Every crash point that stands in the code, in the order of files and lines."""
    found = []
    for path in sorted((ROOT / "rewards_service").rglob("*.py")):
        found += re.findall(r'crash_point\("([a-z_.]+)"\)', path.read_text())
    return [point for point in dict.fromkeys(found) if point.startswith(prefix)]


def tour(lab: Lab, points: Sequence[str], rounds: int, tag: str = "points") -> Figures:
    """End a process at each point, `rounds` times, at a first to third coming to it by lot.

    `missed`: points that nobody came to in time.
    """
    missed: list[str] = []
    crashes = 0
    answers = []
    for number in range(rounds):
        chosen = list(points)
        lab.chance.shuffle(chosen)
        events = max(int(len(chosen) * 20 * lab.scale), 60)
        load = lab.load(f"{tag}{number}", events, RATE)
        for point in chosen:
            count = lab.chance.randint(1, 60 if point in STATEMENTS else 2)
            fired = lab.crash_at(point, count)
            if not lab.stack.wait_for(fired, SECONDS_EACH):
                missed.append(point)
                continue
            crashes += 1
            lab.note_kill()
        lab.disarm()
        answers += lab.finish(load)
    return {"points": len(points), "crashes": crashes, "missed": missed, **figures(answers)}
