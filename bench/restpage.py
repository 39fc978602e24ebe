"""A page of 100 rewards over the REST API beside the bare route, in turns; and one caller's wait.

`make bench-growth` asks for the same page at five million rewards.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import checked, load, paired, servers, world
from bench.bodies import Get
from bench.drain import PAYMENTS_PER_CUSTOMER
from bench.ground import ground
from bench.subjects import Bare, Ours
from rewards_service.accounts.service import create_key

PAGE = "/api/v1/rewards?limit=100"
ALONE_SECONDS = 3.0


def measure(rewards: int, rounds: int, seconds: float) -> dict[str, Any]:
    """As `paired.measure` of the subjects bare and page; {"alone": {p50_ms, p95_ms}} besides."""
    with ground() as base:
        bare, ours = Bare(base), Ours(base)
        ours.make()
        key = _fill(ours, rewards)
        page = Get(PAGE, f"Authorization: Bearer {key}\r\n")
        sides = (("bare", bare.serve, bare.source), ("page", ours.serve, lambda _: page))
        rows = []
        for number in range(rounds):
            order = sides if number % 2 == 0 else sides[::-1]
            rows.append(
                {
                    name: asdict(
                        paired.under_load(serve, source, base.postgres, seconds, f"p{number}x")
                    )
                    for name, serve, source in order
                }
            )
        port = servers.free_port()
        with ours.serve(port):
            load.closed(port, page, paired.WARM_SECONDS, 1)
            alone = load.closed(port, page, ALONE_SECONDS, 1)
    kept = paired.steady([row["bare"]["per_second"] for row in rows])
    waits = {"p50_ms": alone.ms(50), "p95_ms": alone.ms(95)}
    return {"rounds": rows, "kept": kept, "rewards": rewards, "alone": waits}


def _fill(ours: Ours, rewards: int) -> str:
    """So many rewards, and an API key."""
    engine = create_engine(ours.url)
    world.fill_backlog(engine, (1, 1, 1), rewards, PAYMENTS_PER_CUSTOMER, first=2 * 10**6)
    checked.settle(engine)
    checked.check(engine, rewards)
    with Session(engine) as session, session.begin():
        _, key = create_key(session, "bench", ["admin"], secret_key=world.SECRET_KEY)
    engine.dispose()
    servers.vacuum(ours.url)
    return key
