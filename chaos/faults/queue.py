"""Faults of Redis: gone, silent, emptied, full, damaged, replaced by an empty one."""

import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from redis.exceptions import RedisError

from chaos.answers import figures, percentile
from chaos.faults.web import RATE, size
from chaos.lab import Figures, Lab
from chaos.processes import RedisProgram

QUEUED = 500
WIPED_SECONDS = 60.0
ROUNDS = 3
LIKE_CALM = 1.2
NOISE_MS = 10.0  # below this a ratio says more of the machine than of the service


def wiped(lab: Lab) -> Figures:
    """500 events wait, their rings are lost with Redis, and it comes back empty."""
    with lab.stack.frozen_workers():
        answers = lab.send("f10", QUEUED, 200.0)
        lab.stack.redis.kill()
        lab.stack.redis.tend()
        lab.stack.wait_for(lab.stack.redis.answers, 15)
        waiting = lab.stack.waiting()
    seconds = lab.stack.drain()
    assert seconds <= WIPED_SECONDS, f"It took {seconds:.1f} s until all were done."
    return {"queued": waiting, "done_after_s": round(seconds, 2), **figures(answers)}


def down(lab: Lab) -> Figures:
    return _beside_calm(lab, "f11", lab.stack.redis.stop, lab.stack.redis.start_and_wait)


def silent(lab: Lab) -> Figures:
    """It takes connections and never answers."""
    proxy = lab.stack.to_redis

    def fall_silent() -> None:
        proxy.silent = True

    lab.stack.through_proxies(True)
    try:
        return _beside_calm(lab, "f12", fall_silent, proxy.heal)
    finally:
        lab.stack.through_proxies(False)


def _beside_calm(lab: Lab, tag: str, begin: Callable[[], None], end: Callable[[], None]) -> Figures:
    """Rounds with the fault between rounds without; p99 of the answers of each, by median."""
    calm: list[float] = []
    faulty: list[float] = []
    events = size(lab, 200)
    for number in range(ROUNDS):
        calm.append(_p99(lab, f"{tag}calm{number}", events))
        begin()
        faulty.append(_p99(lab, f"{tag}fault{number}", events))
        end()
        lab.stack.rest(2.0)
    usual, under = statistics.median(calm), statistics.median(faulty)
    close = under <= LIKE_CALM * usual or under - usual < NOISE_MS
    assert close, f"p99 of the answers was {under:.1f} ms instead of {usual:.1f} ms."
    return {"ack_p99_calm_ms": usual, "ack_p99_fault_ms": under, "ratio": under / usual}


def _p99(lab: Lab, tag: str, events: int) -> float:
    answers = lab.send(tag, events, RATE)
    return percentile([answer.ms for answer in answers if answer.status == 200], 0.99)


def emptied(lab: Lab) -> Figures:
    load = lab.load("f13", size(lab, 300), RATE)
    flushed = 0
    for _ in lab.while_running(load, 0.2, 0.8):
        with suppress(RedisError):
            lab.stack.redis.client().flushall()
            flushed += 1
    return {"flushed": flushed, **figures(lab.finish(load))}


def full(lab: Lab) -> Figures:
    """No memory left for a ring: the sweeps find what is there."""
    client = lab.stack.redis.client()
    client.config_set("maxmemory", 1)
    try:
        answers = lab.send("f14", size(lab, 200), RATE)
        seconds = lab.stack.drain()
    finally:
        client.config_set("maxmemory", 0)
    return {"done_after_s": round(seconds, 2), **figures(answers)}


def damaged(lab: Lab) -> Figures:
    """Its append-only file lost its end: it starts, or is wiped and starts."""
    keeper = RedisProgram(lab.stack.folder, keep=True)
    keeper.start_and_wait()
    lab.stack.restart(REDIS_URL=keeper.url)
    try:
        with lab.stack.frozen_workers():
            answers = lab.send("f15", size(lab, 100), RATE)
            keeper.kill()
            started = _start_damaged(keeper)
        seconds = lab.stack.drain()
        return {"started": started, "done_after_s": round(seconds, 2), **figures(answers)}
    finally:
        lab.stack.restart(REDIS_URL=lab.stack.redis.url)
        keeper.stop()


def _start_damaged(keeper: RedisProgram) -> str:
    for path in keeper.folder.rglob("*.incr.aof"):
        data = path.read_bytes()
        path.write_bytes(data[: max(len(data) - 7, 0)])
    keeper.start()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if keeper.answers():
            return "as it was"
        time.sleep(0.05)
    _wipe(keeper.folder)
    keeper.start_and_wait()
    return "wiped"


def _wipe(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def replaced(lab: Lab) -> Figures:
    """A failover to a replica that has received nothing."""
    replica = RedisProgram(lab.stack.folder)
    replica.start_and_wait()
    proxy = lab.stack.to_redis
    lab.stack.through_proxies(True)
    try:
        load = lab.load("f16", size(lab, 200), RATE)
        lab.stack.rest(1.0)
        proxy.target = ("127.0.0.1", replica.port)
        proxy.reset()
        answers = lab.finish(load)
        return {"done_after_s": round(lab.stack.drain(), 2), **figures(answers)}
    finally:
        proxy.target = ("127.0.0.1", lab.stack.redis.port)
        lab.stack.through_proxies(False)
        replica.stop()
