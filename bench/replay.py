"""How long `rewards replay --verify` takes: `make bench-replay`, or `python -m bench.replay`.

Builds payments with refunds by the real pipeline on a PostgreSQL of its own, then replays them in a
process of its own, so that the peak of its memory is that of the replay alone.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import servers, world
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import insert_many
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.webhooks import jobs as event_jobs

PAYMENTS_PER_CUSTOMER = 2
NO_LIMIT = 36_000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--url", help="replay the database at this address and print what it took")
    options = parser.parse_args()
    if options.url:
        print(json.dumps(measure(options.url)))
        return
    with servers.database() as (url, _):
        start = time.perf_counter()
        build(url, options.payments)
        print(f"built in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        servers.vacuum(url)
        command = [sys.executable, "-m", "bench.replay", "--url", url]
        figures = json.loads(subprocess.check_output(command, env=os.environ))
    print(
        f"{figures['events']} events, {figures['rewards']} rewards: {figures['seconds']:.1f} s, "
        f"peak {figures['peak_mb']:.0f} MB, {figures['differences']} differences"
    )


def build(url: str, payments: int) -> None:
    """Payments of leads' customers, every fifth refunded: half of them in part, half in full."""
    engine = create_engine(url)
    keys = world.set_up(engine)
    world.fill_backlog(engine, keys, payments, PAYMENTS_PER_CUSTOMER)
    with Session(engine) as session, session.begin():
        for first in range(0, payments, 5_000):
            numbers = range(first, min(first + 5_000, payments), 5)
            rows = [world.received(refund(number), *keys[:2]) for number in numbers]
            insert_many(session, ReceivedEvent, rows)
    event_jobs.drain(engine, budget=NO_LIMIT)
    reward_jobs.drain(engine, budget=NO_LIMIT)
    engine.dispose()


def refund(number: int) -> dict[str, Any]:
    """payment_refunded of payment `number`."""
    paid = world.payment(number, PAYMENTS_PER_CUSTOMER)
    transaction = paid["content"]["transaction"]
    amount = transaction["amount"] if number % 2 else transaction["amount"] // 3
    return world.refund(paid, str(number), amount)


def measure(url: str) -> dict[str, float]:
    """Seconds and peak memory of one replay with comparison, and what it found."""
    from rewards_service.replay.service import replay
    from rewards_service.worker import spare_the_collector

    spare_the_collector()
    engine = create_engine(url)
    start = time.perf_counter()
    outcome = replay(engine)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "events": outcome.events,
        "rewards": outcome.rewards,
        "seconds": took,
        "peak_mb": peak,
        "differences": outcome.count,
    }


if __name__ == "__main__":
    main()
