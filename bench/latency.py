"""How long one waits: for the acknowledgement at half the capacity, for the reward at 200 a second.

Open loop, Poisson arrivals, latency from when a request was due. Event to reward is from the
`received_at` of the event to the commit of its reward as PostgreSQL has noted it: until then nobody
can see it.
"""

import statistics
import time
from typing import Any

from sqlalchemy import create_engine, text

from bench import checked, load, paired, servers
from bench.ground import ground
from bench.subjects import Afternoon, Ours

SHARES = (0.25, 0.5, 0.75)  # of the capacity
REWARDED_AT = 200.0  # events a second
PATIENCE = 300.0  # seconds until the last reward
_REWARDS = text("SELECT count(*) FROM rewards")
_WAITS = text(
    "SELECT extract(epoch FROM pg_xact_commit_timestamp(l.xmin) - e.received_at) * 1000 "
    "FROM received_events e JOIN rewards r ON r.invoice_id = 'inv_' || substr(e.event_id, 4) "
    # A reward's row changes when it is approved; its first entry never does.
    "JOIN ledger_entries l ON l.reward_id = r.id AND l.opens "
    "WHERE e.event_id LIKE 'ev_timed%' ORDER BY 1"
)


def measure(seconds: float) -> dict[str, Any]:
    """{"capacity", "acknowledged": [of each share], "rewarded": {...}}; waits in milliseconds.

    Two databases: what the first load left pending is no part of the second measurement. Rows are
    counted after each.
    """
    with ground() as base:
        ours = Ours(base)
        ours.make()
        acknowledged = _acknowledged(ours, seconds)
    with ground(track_commit_timestamp="on") as base:
        ours = Ours(base)
        ours.make()
        rewarded = _rewarded(ours, seconds)
    return acknowledged | {"rewarded": rewarded, "seconds": seconds}


def _acknowledged(ours: Ours, seconds: float) -> dict[str, Any]:
    """Web processes alone, as their capacity was measured: no worker takes CPU from them."""
    port = servers.free_port()
    with ours.serve(port):
        sources = [ours.source("warm"), ours.source("most")]
        dones = [load.closed(port, sources[0], paired.WARM_SECONDS, paired.CONNECTIONS)]
        dones.append(load.closed(port, sources[1], max(seconds / 6, 2), paired.CONNECTIONS))
        capacity = dones[1].per_second
        found = []
        for share in SHARES:
            # Half of the capacity is what is aimed at; the others are to compare.
            took = seconds if share == 0.5 else seconds / 3
            sources.append(ours.source(f"share{share:.0%}".strip("%") + "x"))
            dones.append(load.open_loop(port, sources[-1], capacity * share, took))
            found.append({"share": share, **_shown(dones[-1])})
    sent = sum(one.distinct(done.requests) for one, done in zip(sources, dones, strict=True))
    if ours.recorded() != sent:
        raise SystemExit(f"{sent} payments were acknowledged, {ours.recorded()} are recorded.")
    return {"capacity": capacity, "acknowledged": found}


def _rewarded(ours: Ours, seconds: float) -> dict[str, Any]:
    """Web processes and one worker, which has its first job behind it."""
    port, engine = servers.free_port(), create_engine(ours.url)
    with ours.serve(port), ours.work():
        warm, timed = ours.source("warm"), ours.source("timed")
        sent = warm.distinct(load.open_loop(port, warm, REWARDED_AT, 5).requests)
        wait_for(ours, sent)
        done = load.open_loop(port, timed, REWARDED_AT, seconds)
        sent += timed.distinct(done.requests)
        wait_for(ours, sent)
    checked.settle(engine)
    checked.check(engine, sent)
    with engine.connect() as connection:
        waits = [float(one) for one in connection.execute(_WAITS).scalars()]
    engine.dispose()
    if len(waits) != timed.distinct(done.requests):
        raise SystemExit(f"{len(waits)} rewards of {timed.distinct(done.requests)} were found.")
    cuts = statistics.quantiles(waits, n=100)
    return {
        "rate": REWARDED_AT, "events": len(waits), "p50_ms": statistics.median(waits),
        "p99_ms": cuts[98], "max_ms": waits[-1], "acknowledged": _shown(done),
    }  # fmt: skip


def _shown(done: load.Done) -> dict[str, float]:
    return {
        "per_second": done.per_second, "requests": done.requests,
        "p50_ms": done.ms(50), "p99_ms": done.ms(99), "max_ms": done.ms(100),
    }  # fmt: skip


def wait_for(subject: Ours | Afternoon, rewards: int) -> None:
    """Until there are so many rewards. Raises SystemExit when they do not come."""
    engine, until, found = create_engine(subject.url), time.monotonic() + PATIENCE, 0
    with engine.connect() as connection:
        while (found := connection.execute(_REWARDS).scalar_one()) < rewards:
            connection.rollback()
            if time.monotonic() > until:
                raise SystemExit(f"{found} of {rewards} rewards after {PATIENCE:.0f} s.")
            time.sleep(0.02)
    engine.dispose()
