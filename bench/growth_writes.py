"""What is written at two sizes in turns: acknowledged webhooks, drains, replays, a backfill."""

import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import psutil
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench import backfill, drain, load, paired, servers, subjects, world
from bench.growth_sides import Side
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.webhooks import jobs as event_jobs
from rewards_service.webhooks.workbench import replay_event

KEYS = (1, 1, 1)  # of the integration, its options and a partner, as `world.set_up` makes them
EACH = drain.PAYMENTS_PER_CUSTOMER
REPLAYED = 20


@dataclass
class Written:
    """One thing that was done on both sides, round by round: smaller is better."""

    name: str
    unit: str
    aim: float
    rounds: list[list[float]] = field(default_factory=list)  # by side

    def ratios(self) -> list[float]:
        return [large / small for small, large in self.rounds]

    def median(self, side: int) -> float:
        return statistics.median(one[side] for one in self.rounds)


def acknowledge(
    sides: Sequence[Side], postgres: psutil.Process, rounds: int, seconds: float
) -> list[Written]:
    """CPU of an acknowledged webhook under load, and how long one waits for it alone."""
    cpu = Written("ack, CPU of web and database", "us", 1.3)
    alone = Written("ack, p50 of one caller", "ms", 1.3)
    late = Written("ack, p99 of one caller", "ms", 1.3)
    for number in range(rounds):
        spent = [0.0 for _ in sides]
        waits: list[list[float]] = [[] for _ in sides]
        for index in _order(number, sides):
            side = sides[index]
            before, tag = _recorded(side), uuid4().hex[:12]
            serve = partial(_serve, side.environ)
            source = partial(load.Same, subjects.HOOK, subjects.HEADERS)
            done = paired.under_load(serve, source, postgres, seconds, tag)
            spent[index] = done.total_us
            _check(f"events of {side.name}", _recorded(side) - before, done.distinct)
        for count in range(200):
            for index in _order(count, sides):
                waits[index].append(_post(sides[index]))
        cpu.rounds.append(spent)
        alone.rounds.append([statistics.median(some) for some in waits])
        late.rounds.append([statistics.quantiles(some, n=100)[98] for some in waits])
    return [cpu, alone, late]


def _serve(environ: dict[str, str], port: int) -> AbstractContextManager[psutil.Process]:
    return servers.web("wsgi", port, environ)


def _order(number: int, sides: Sequence[Side]) -> Sequence[int]:
    order = list(range(len(sides)))
    return order if number % 2 == 0 else order[::-1]


def _recorded(side: Side) -> int:
    """The last key: every recorded event takes one, and a repeat would take one more."""
    with Session(side.engine) as session:
        return session.scalar(select(func.max(ReceivedEvent.id))) or 0


def _post(side: Side) -> float:
    """One webhook to the side's own web processes; milliseconds until it is acknowledged."""
    body = load.sample_body().replace(load.MARK, f"ev_{uuid4().hex}".encode())
    headers = {"Authorization": f"Basic {world.BASIC}", "Content-Type": "application/json"}
    link = http.client.HTTPConnection("127.0.0.1", side.port, timeout=60)
    link.connect()
    began = time.perf_counter()
    link.request("POST", subjects.HOOK, body, headers)
    answer = link.getresponse()
    answer.read()
    took = (time.perf_counter() - began) * 1_000
    link.close()
    _check("status of an acknowledged webhook", answer.status, 200)
    return took


def drains(
    sides: Sequence[Side], postgres: psutil.Process, rounds: int, backlog: int
) -> list[Written]:
    """A backlog drained on top of each world; then one ten times as long on the large one."""
    wall, cpu = Written("drain", "us/event", 1.3), Written("drain, CPU", "us/event", 1.3)
    tenfold = Written(f"drain of {backlog * 10:,} against {backlog:,} events", "us/event", 1 / 0.85)
    for side in sides:
        event_jobs.drain(side.engine, budget=drain.NO_LIMIT)  # what was acknowledged before
        reward_jobs.drain(side.engine, budget=drain.NO_LIMIT)
    for number in range(rounds):
        spent, used = [0.0 for _ in sides], [0.0 for _ in sides]
        for index in _order(number, sides):
            done = _drain(sides[index], postgres, backlog)
            spent[index] = done.seconds / done.events * 1e6
            used[index] = (done.cpu_seconds + done.database_seconds) / done.events * 1e6
        wall.rounds.append(spent)
        cpu.rounds.append(used)
    lengths = [_drain(sides[-1], postgres, backlog * times) for times in (1, 10)]
    tenfold.rounds.append([done.seconds / done.events * 1e6 for done in lengths])
    return [wall, cpu, tenfold]


def _drain(side: Side, postgres: psutil.Process, events: int) -> drain.Drained:
    world.fill_backlog(side.engine, KEYS, events, EACH, side.written)
    side.written += events
    return drain.run(side.engine, postgres, events)


def replays(sides: Sequence[Side], rounds: int) -> list[Written]:
    """Single payments of the world handled anew, nothing kept."""
    found = Written("an event replayed", "ms", 1.3)
    keys = [_payments(side, rounds * REPLAYED) for side in sides]
    for number in range(rounds):
        took: list[list[float]] = [[] for _ in sides]
        for count in range(REPLAYED):
            for index in _order(count, sides):
                key = keys[index][(number * REPLAYED + count) % len(keys[index])]
                took[index].append(_replay(sides[index], key))
        found.rounds.append([statistics.median(some) for some in took])
    return [found]


def _payments(side: Side, wanted: int) -> list[int]:
    """Keys of payments whose bodies are there, from anywhere in the log."""
    row = ReceivedEvent
    last, some = _recorded(side), random.Random(7)  # noqa: S311 - a sample
    keys: list[int] = []
    with Session(side.engine) as session:
        while len(keys) < wanted:
            drawn = [some.randint(1, last) for _ in range(2_000)]
            query = select(row.id).where(
                row.id.in_(drawn), row.event_type == "payment_succeeded", row.state == "done",
                func.length(row.body) > 100, row.event_id.like("ev_-%"),
            )  # fmt: skip
            keys += session.scalars(query).all()
    return keys[:wanted]


def _replay(side: Side, key: int) -> float:
    began = time.perf_counter()
    with Session(side.engine) as session:
        done = replay_event(session, key, dry_run=True)
        session.rollback()
    took = (time.perf_counter() - began) * 1_000
    _check("rewards changed by a replay", len(done.changes), 0)
    return took


def backfills(sides: Sequence[Side], invoices: int) -> list[Written]:
    """History of a site fetched on top of each world, once: a second time nothing is news."""
    found = Written("backfill", "us/invoice", 1.3)
    spent = [0.0 for _ in sides]
    for index in _order(1, sides):
        side = sides[index]
        with backfill._process(["--serve", "--invoices", str(invoices)]) as site:
            address = json.loads(site.stdout.readline())["url"] if site.stdout else ""
            command = [sys.executable, "-m", "bench.backfill", "--url", side.url]
            command += ["--site", address, "--there"]
            figures = json.loads(subprocess.check_output(command, env=os.environ))
        spent[index] = figures["seconds"] / invoices * 1e6
    found.rounds.append(spent)
    return [found]


def beside_bare(side: Side, rounds: int, seconds: float) -> list[float]:
    """A page of 100 rewards, requests per second, as a share of a bare Flask route's, by round."""
    shares = []
    headers = f"Authorization: Bearer {side.key}\r\n"
    address = "/api/v1/rewards?limit=100"
    port = side.port + 10
    with servers.web("bench.bare", port, {}):
        for number in range(rounds):
            bare = load.run(port, subjects.HOOK, "", seconds, paired.CONNECTIONS, f"b{number}")
            page = load.get(side.port, address, headers, seconds, paired.CONNECTIONS)
            shares.append(page / bare)
    return shares


def _check(what: str, found: int, right: int) -> None:
    if found != right:
        raise SystemExit(f"{what}: {found}, but {right} is right.")
