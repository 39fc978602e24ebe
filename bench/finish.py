"""From the first request to the last reward: so many payments end to end, beside the afternoon.

Four connections send as fast as they are answered; then the rewards are waited for in the database.
Each side has its worker up and warm: ours its own, the afternoon RQ's forking one, preloaded.
"""

import time
from typing import Any

from bench import latency, load, servers
from bench.ground import ground
from bench.subjects import Afternoon, Ours

CONNECTIONS = 4
LONG = 3_600.0  # seconds: the number of payments ends the load
WARM = 20


def measure(payments: int) -> dict[str, Any]:
    """{"payments", subject: {"acknowledged_s", "rewarded_s"}}: seconds from the first request."""
    found: dict[str, Any] = {"payments": payments}
    for kind in (Ours, Afternoon):
        with ground() as base:
            subject = kind(base)
            subject.make()
            found[subject.name] = _end_to_end(subject, payments)
    return found


def _end_to_end(subject: Ours | Afternoon, payments: int) -> dict[str, float]:
    port = servers.free_port()
    with subject.serve(port), subject.work():
        warm, source = subject.source("warm"), subject.source("counted")
        sent = warm.distinct(load.closed(port, warm, LONG, CONNECTIONS, WARM).requests)
        latency.wait_for(subject, sent)
        began = time.perf_counter()
        done = load.closed(port, source, LONG, CONNECTIONS, payments)
        acknowledged = time.perf_counter() - began
        sent += source.distinct(done.requests)
        latency.wait_for(subject, sent)
        rewarded = time.perf_counter() - began
    if subject.recorded() != sent:
        raise SystemExit(f"{subject.label}: {sent} sent, {subject.recorded()} kept.")
    return {
        "acknowledged_s": acknowledged,
        "rewarded_s": rewarded,
        "rewards": source.distinct(done.requests),
    }
