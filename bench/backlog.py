"""A backlog of recorded payments until the last reward: by one process, by two, and one by one.

`python -m bench.backlog --url ...` is one of the processes: it drains what is there, and ends.
"""

import argparse
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from bench import checked, drain, servers, world
from bench.ground import Ground, ground
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit import log
from rewards_service.kit.migrate import upgrade
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.transactions.models import RewardDue
from rewards_service.webhooks import jobs as event_jobs
from rewards_service.worker import spare_the_collector

BATCH = 500
PAUSE = 0.02  # a process that finds nothing looks again: another one may be at the last batch


def measure(events: int) -> dict[str, Any]:
    """{"events", "processes": {"1": seconds, "2": seconds}}: each on a copy of one backlog."""
    with ground() as base:
        _fill(base, events)
        taken = {str(processes): _drained(base, events, processes) for processes in (1, 2)}
    return {"events": events, "processes": taken}


def compare(events: int, singles: int) -> dict[str, Any]:
    """The same code with batches of 500, and one event per commit: events a second of each.

    Fewer are drained one by one; each of the two is warm: a tenth goes before.
    """
    found = {}
    with ground() as base:
        _fill(base, events)
        for batch, number in ((BATCH, events), (1, singles)):
            url = base.make_database(f"copy_{batch}", "backlog")
            servers.vacuum(url)
            engine = create_engine(url)
            _handle(engine, number // 10, batch)
            began = time.perf_counter()
            handled = _handle(engine, number - number // 10, batch)
            found[str(batch)] = handled / (time.perf_counter() - began)
            checked.settle(engine)
            checked.check(engine, events)
            engine.dispose()
    return {"events": events, "singles": singles, "per_second": found}


def _fill(base: Ground, events: int) -> None:
    url = base.make_database("backlog")
    upgrade(url)
    engine = create_engine(url)
    keys = world.set_up(engine)
    world.fill_backlog(engine, keys, events, drain.PAYMENTS_PER_CUSTOMER, form=world.lean)
    engine.dispose()


def _handle(engine: Engine, number: int, batch: int) -> int:
    """Events and their rewards, batch after batch; no more than so many events."""
    handled = 0
    while handled < number:
        handled += event_jobs._step(engine, min(batch, number - handled), alone=False)
        reward_jobs.drain(engine, checked.NO_LIMIT, batch)
    return handled


def _drained(base: Ground, events: int, processes: int) -> float:
    """Seconds from when all processes look for work until the last reward is committed."""
    url = base.make_database(f"copy_{processes}", "backlog")
    servers.vacuum(url)
    command = [sys.executable, "-m", "bench.backlog", "--url", url]
    running = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(processes)
    ]
    for one in running:
        assert one.stdout is not None
        one.stdout.readline()  # it has imported everything
    began = time.perf_counter()
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.close()
    if any(one.wait() for one in running):
        raise SystemExit("A draining process failed.")
    took = time.perf_counter() - began
    engine = create_engine(url)
    checked.check(engine, events)
    engine.dispose()
    base.drop_database(f"copy_{processes}")
    return took


def work(url: str) -> None:
    """Drain until nothing is pending and no reward is due, whoever has it."""
    engine = create_engine(url)
    spare_the_collector()
    log.configure("json", sys.stderr)  # what is said on the other is read
    print("ready", flush=True)
    sys.stdin.readline()
    while _left(engine):
        done = event_jobs.drain(engine, checked.NO_LIMIT)
        done += reward_jobs.drain(engine, checked.NO_LIMIT)
        if not done:
            time.sleep(PAUSE)
    engine.dispose()


def _left(engine: Engine) -> bool:
    pending = select(ReceivedEvent.id).where(ReceivedEvent.state == "pending").limit(1)
    due = select(func.count()).select_from(RewardDue)
    with Session(engine) as session:
        return session.scalar(pending) is not None or bool(session.scalar(due))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    work(parser.parse_args().url)
