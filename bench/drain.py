"""How fast one worker turns a backlog of recorded payments into rewards, and where time goes."""

import cProfile
import io
import pstats
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from bench import servers, world
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.webhooks import jobs as event_jobs
from rewards_service.worker import spare_the_collector

PAYMENTS_PER_CUSTOMER = 2
NO_LIMIT = 3_600.0
Form = Callable[[dict[str, Any]], dict[str, Any]]


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


def measure(
    number: int, profile: bool = False, form: Form = dict, **terms: Any
) -> tuple[Drained, str]:
    """Drain `number` payments on a fresh database; the figures, and a profile when asked for.

    form: of the payments, such as `world.lean`. terms: of the one rule, as stored.
    """
    with servers.database() as (url, server):
        engine = create_engine(url)
        keys = world.set_up(engine, **terms)
        world.fill_backlog(engine, keys, number, PAYMENTS_PER_CUSTOMER, form=form)
        servers.vacuum(url)
        profiler = cProfile.Profile()
        spare_the_collector()
        if profile:
            profiler.enable()
        drained = run(engine, psutil.Process(server.process.pid), number)
        profiler.disable()
        engine.dispose()
    return drained, _readable(profiler) if profile else ""


def run(engine: Engine, postgres: psutil.Process, number: int) -> Drained:
    """Drain `number` recorded payments of `world.fill_backlog` until the last reward.

    They are counted afterwards, whatever the database held before.
    """
    before = _keys(engine)
    database = servers.cpu_seconds(postgres)
    start, cpu = time.perf_counter(), time.process_time()
    event_jobs.drain(engine, budget=NO_LIMIT)
    reward_jobs.drain(engine, budget=NO_LIMIT)
    took, spent = time.perf_counter() - start, time.process_time() - cpu
    database = servers.cpu_seconds(postgres) - database
    _check(engine, number, *before)
    return Drained(number, took, spent, database)


def _keys(engine: Engine) -> tuple[int, int]:
    """The last keys of rewards and of ledger entries."""
    with Session(engine) as session:
        reward = session.scalar(select(func.max(Reward.id)))
        return reward or 0, session.scalar(select(func.max(LedgerEntry.id))) or 0


def _check(engine: Engine, number: int, last_reward: int, last_entry: int) -> None:
    """Every payment has its reward, and the sum is right to the cent."""
    with Session(engine) as session:
        rewards = session.scalar(select(func.count(Reward.id)).where(Reward.id > last_reward))
        amounts = select(func.sum(LedgerEntry.amount_minor)).where(LedgerEntry.id > last_entry)
        posted = session.scalar(amounts)
        pending = session.scalar(
            select(func.count(ReceivedEvent.id)).where(ReceivedEvent.state == "pending")
        )
    if (rewards, posted, pending) != (number, number * 900, 0):
        raise SystemExit(f"The drain is wrong: {rewards=} {posted=} {pending=}")


def _readable(profiler: cProfile.Profile) -> str:
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("cumtime").print_stats("rewards_service", 30)
    return out.getvalue()
