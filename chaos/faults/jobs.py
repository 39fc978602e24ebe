"""Faults of the workers: ended at each step, killed, frozen, with a wrong clock."""

import signal
from pathlib import Path

from chaos.answers import figures
from chaos.faults.web import RATE, size
from chaos.lab import Figures, Lab
from chaos.skipping import NotHere
from chaos.stack import Stack
from chaos.storm import kill_worker
from chaos.tour import STATEMENTS, named_points, tour

FROZEN_SECONDS = 40.0  # beyond a lease, and beyond what PostgreSQL lets a transaction be idle
FAKETIME = "usr/lib/*/faketime/libfaketime.so.1"


def crash_points(lab: Lab) -> Figures:
    """Each named point of the way of an event to its reward, and any statement by lot."""
    points = [*named_points("events."), *named_points("rewards."), *STATEMENTS * 3]
    return tour(lab, [point for point in points if point != "events.failed"], 1, "f5")


def killed(lab: Lab) -> Figures:
    """Workers are killed in mid-batch; what they had in hand is done by others."""
    load = lab.load("f7", size(lab, 600), RATE)
    kills = 0
    for _ in lab.while_running(load, 0.5, 1.5):
        kill_worker(lab.stack, lab.chance)
        lab.note_kill()
        kills += 1
    return {"kills": kills, **figures(lab.finish(load))}


def frozen(lab: Lab) -> Figures:
    """A worker stands still in mid-transaction, and goes on when others have done its work."""
    load = lab.load("f9", size(lab, 20 * int(FROZEN_SECONDS)), 20.0)
    lab.stack.rest(1.0)
    worker = lab.stack.workers[0]
    caught = False
    for _ in range(300):
        worker.kill(signal.SIGSTOP)
        lab.stack.rest(0.05)
        caught = _is_in_transaction(lab.stack)
        if caught or not load.is_running:
            break
        worker.kill(signal.SIGCONT)
        lab.stack.rest(lab.chance.uniform(0.0, 0.1))
    lab.stack.rest(FROZEN_SECONDS)
    answers = lab.finish(load)
    seconds = lab.stack.drain()
    worker.kill(signal.SIGCONT)
    lab.stack.rest(2.0)
    return {"frozen_in_mid_transaction": caught, "done_while_frozen_s": seconds, **figures(answers)}


def _is_in_transaction(stack: Stack) -> bool:
    """Whether some process of the service holds a transaction and does nothing with it."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
        "AND backend_xid IS NOT NULL AND state_change < clock_timestamp() - interval '40 ms'"
    )
    with stack.engine.connect() as connection:
        return bool(connection.exec_driver_sql(query).scalar_one())


def wrong_clock(lab: Lab) -> Figures:
    """One worker is ten minutes ahead, the other ten behind: leases go by the database's clock."""
    found = sorted(Path("/").glob(FAKETIME))
    if not found:
        raise NotHere("libfaketime is not installed (Debian, Ubuntu: apt install faketime)")
    for worker, offset in zip(lab.stack.workers, ("+10m", "-10m"), strict=False):
        worker.environ |= {"LD_PRELOAD": str(found[0]), "FAKETIME": offset}
        worker.kill()
    try:
        answers = lab.send("f35", size(lab, 300), RATE)
        seconds = lab.stack.drain()
    finally:
        for worker in lab.stack.workers:
            for name in ("LD_PRELOAD", "FAKETIME"):
                worker.environ.pop(name, None)
            worker.kill()
    return {"done_after_s": seconds, **figures(answers)}
