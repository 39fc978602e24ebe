"""The events doorbell: drain what is pending, in batches, whoever rang and however often."""

import time
from collections import Counter
from functools import partial
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from structlog.contextvars import bound_contextvars

from rewards_service.inbox import service as inbox
from rewards_service.inbox.service import Leased, LeaseLost
from rewards_service.kit import bells, ids
from rewards_service.kit.alongside import Alongside
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import db, hold_stage, transaction
from rewards_service.kit.metrics import count_entries, count_events, time_batch
from rewards_service.kit.queue import VERIFICATIONS
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.webhooks import sequence, verifying

log = structlog.get_logger()

STAGE = "events"
BATCHES = {"postgresql": 1_000, "sqlite": 500}  # SQLite's one writer must let others in
BUDGET_SECONDS = 10.0
MOST_NAMED = 20  # events of a batch, in its line of the log


def drain_events() -> int:
    """Handle pending events until none is left or ten seconds are over. Safe in many processes."""
    return drain(db.engine)


def drain(engine: Engine, budget: float = BUDGET_SECONDS, batch: int | None = None) -> int:
    """Lease, handle, finish, batch after batch. Returns how many events were handled.

    Where a server holds the database, the rewards of one full batch are calculated while the next
    is matched: one waits for the server while the other thinks. Those of a smaller one follow at
    once: where events keep coming, their queue is answered again before that of the rewards.
    """
    handled = 0
    until = time.monotonic() + budget
    size = batch or BATCHES[engine.dialect.name]
    with Alongside("rewards", partial(reward_jobs.drain, engine, budget)) as rewards:
        while time.monotonic() < until:
            done = _step(engine, 1, alone=True) + _step(engine, size, alone=False)
            if done == 0:
                break
            handled += done
            if done < size:
                reward_jobs.follow(engine)
            elif engine.dialect.name == "postgresql":
                rewards.ask()
    return handled


def _step(engine: Engine, limit: int, alone: bool) -> int:
    token = uuid4().hex
    with bound_contextvars(batch=token[:12]), transaction(engine) as session:
        if alone:
            inbox.give_up_exhausted(session)
            leased = inbox.lease_suspect(session, token)
        else:
            leased = inbox.lease_fresh(session, token, limit)
        to_handle = verifying.set_aside(session, leased)
        crash_point("events.leased")
    aside = len(leased.ids) - len(to_handle.ids)
    if aside:
        bells.ring(VERIFICATIONS)
    if not to_handle.ids:
        return aside
    crash_point("events.lease_committed")
    with bound_contextvars(batch=token[:12]):
        try:
            return aside + _handle(engine, to_handle)
        except LeaseLost:
            log.info("batch_left_to_another_worker", events=len(to_handle.ids))
            return aside


def _handle(engine: Engine, leased: Leased) -> int:
    try:
        with time_batch("events"), transaction(engine) as session:
            hold_stage(session, STAGE)
            crash_point("events.stage_held")
            rows = inbox.load(session, leased)
            crash_point("events.loaded")
            done = sequence.process(session, rows)
            crash_point("events.before_commit")
        crash_point("events.committed")
        for outcome, number in Counter(e.outcome for e in done.endings.values()).items():
            count_events(outcome, number)
        for kind, number in Counter(done.entries).items():
            count_entries(kind, number)
        crash_point("events.before_ring")
        bells.ring("rewards")
        _note(leased, len(done.endings))
    except LeaseLost:
        raise
    except Exception as problem:
        _after_failure(engine, leased, problem)
    return len(leased.ids)


def _note(leased: Leased, done: int) -> None:
    """One line for each batch; of a small one with the ids that its deliveries were answered."""
    named = (
        [ids.encode("evt", key) for key in leased.ids] if len(leased.ids) <= MOST_NAMED else None
    )
    log.info("batch", events=done, ids=named, alone=leased.alone)


def _after_failure(engine: Engine, leased: Leased, problem: Exception) -> None:
    """A batch that fails is tried one event at a time; an event alone waits and tries again."""
    named = [ids.encode("evt", key) for key in leased.ids[:MOST_NAMED]]
    log.exception("batch_failed", events=len(leased.ids), ids=named, alone=leased.alone)
    crash_point("events.failed")
    with transaction(engine) as session:
        if leased.alone:
            inbox.fail(session, leased.ids[0], f"{type(problem).__name__}: {problem}")
        else:
            inbox.release(session, leased)
