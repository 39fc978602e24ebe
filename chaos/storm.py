"""A storm of kills under load: any process, at any moment, most of them while they are at work."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from chaos.answers import Taken, figures
from chaos.lab import Figures, Lab
from chaos.processes import until
from chaos.stack import Stack

RATE = 60.0  # events a second
PATIENCE_SECONDS = 120.0
AT_WORK_SECONDS = 1.0
# What is killed how often, of a hundred.
SHARES: dict[str, int] = {
    "worker": 46, "web worker": 26, "web": 4, "scheduler": 6, "redis": 12, "backend": 5,
    "postgres": 1,
}  # fmt: skip


def storm(lab: Lab, tag: str, events: int, kills: int, rate: float = RATE) -> Figures:
    """Kill `kills` processes while `events` events come in; what was killed, what was answered.

    The kills are spread over the answers of 200: a service that is still starting, on a slow
    machine, is not killed again before it has taken something.
    """
    load = lab.load(tag, events, rate)
    taken = Taken(Path(load.order.log))
    killed: Counter[str] = Counter()
    for number in range(1, kills + 1):
        lab.stack.wait_for(
            lambda due=number * events / (kills + 1): taken.count() >= due or not load.is_running,  # type: ignore[misc]
            PATIENCE_SECONDS,
        )
        lab.stack.rest(lab.chance.uniform(0.0, 0.5))
        killed[_kill(lab)] += 1
    answers = lab.finish(load)
    return {"killed": dict(killed), **figures(answers)}


def _kill(lab: Lab) -> str:
    what = lab.chance.choices(list(SHARES), list(SHARES.values()))[0]
    KILLERS[what](lab.stack, lab.chance)
    lab.note_kill()
    return what


def kill_worker(stack: Stack, chance: random.Random) -> None:
    """One that is at work on a batch, if any is within a moment."""
    until(stack.is_leased, AT_WORK_SECONDS, lambda: None)
    chance.choice(stack.workers).kill()


def kill_web_worker(stack: Stack, chance: random.Random) -> None:
    found = stack.web.children()
    if found:
        try:
            chance.choice(found).kill()
        except psutil.NoSuchProcess:
            return


def kill_web(stack: Stack, _chance: random.Random) -> None:
    """gunicorn with all its workers, as an end of its container would."""
    stack.web.kill()


def kill_scheduler(stack: Stack, _chance: random.Random) -> None:
    stack.scheduler.kill()


def kill_redis(stack: Stack, _chance: random.Random) -> None:
    """It keeps nothing: it comes back empty."""
    stack.redis.kill()


def kill_backend(stack: Stack, chance: random.Random) -> None:
    stack.kill_backend(chance)


def kill_postgres(stack: Stack, _chance: random.Random) -> None:
    stack.crash_postgres()


KILLERS: dict[str, Callable[[Stack, random.Random], None]] = {
    "worker": kill_worker, "web worker": kill_web_worker, "web": kill_web,
    "scheduler": kill_scheduler, "redis": kill_redis, "backend": kill_backend,
    "postgres": kill_postgres,
}  # fmt: skip
