"""How fast one worker turns a backlog of recorded payments into rewards, and where time goes."""

import cProfile
import io
import pstats
import time
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from bench import servers, world
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.webhooks import jobs as event_jobs
from rewards_service.worker import spare_the_collector

PAYMENTS_PER_CUSTOMER = 2
NO_LIMIT = 3_600.0


@dataclass(frozen=True)
class Drained:
    """One backlog, drained to the last reward: seconds, and CPU of the process and PostgreSQL."""

    events: int
    seconds: float
    cpu_seconds: float
    database_seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def measure(number: int, profile: bool = False, **terms: Any) -> tuple[Drained, str]:
    """Drain `number` payments on a fresh database; the figures, and a profile when asked for.

    terms: of the one rule, as stored.
    """
    with servers.database() as (url, server):
        engine = create_engine(url)
        keys = world.set_up(engine, **terms)
        world.fill_backlog(engine, keys, number, PAYMENTS_PER_CUSTOMER)
        servers.vacuum(url)
        profiler = cProfile.Profile()
        spare_the_collector()
        if profile:
            profiler.enable()
        postgres = psutil.Process(server.process.pid)
        database = servers.cpu_seconds(postgres)
        start, cpu = time.perf_counter(), time.process_time()
        event_jobs.drain(engine, budget=NO_LIMIT)
        reward_jobs.drain(engine, budget=NO_LIMIT)
        took, spent = time.perf_counter() - start, time.process_time() - cpu
        database = servers.cpu_seconds(postgres) - database
        profiler.disable()
        _check(engine, number)
        engine.dispose()
    text = _readable(profiler) if profile else ""
    return Drained(number, took, spent, database), text


def _check(engine: object, number: int) -> None:
    """Count afterwards: every payment has its reward, and the sum is right to the cent."""
    with Session(engine) as session:  # type: ignore[arg-type]
        rewards = session.scalar(select(func.count(Reward.id)))
        posted = session.scalar(select(func.sum(LedgerEntry.amount_minor)))
        pending = session.scalar(
            select(func.count(ReceivedEvent.id)).where(ReceivedEvent.state == "pending")
        )
    if (rewards, posted, pending) != (number, number * 900, 0):
        raise SystemExit(f"The drain is wrong: {rewards=} {posted=} {pending=}")


def _readable(profiler: cProfile.Profile) -> str:
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("cumtime").print_stats("rewards_service", 30)
    return out.getvalue()
