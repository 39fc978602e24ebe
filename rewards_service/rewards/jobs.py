"""The rewards doorbell: calculate what is due, in batches, whoever rang and however often."""

import time
from collections import Counter
from collections.abc import Sequence

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import db, hold_stage, transaction
from rewards_service.kit.metrics import count_entries, time_batch
from rewards_service.rewards import service
from rewards_service.transactions import due

log = structlog.get_logger()

STAGE = "rewards"
BATCHES = {"postgresql": 1_000, "sqlite": 500}  # SQLite's one writer must let others in
BUDGET_SECONDS = 10.0


def drain_rewards() -> int:
    """Calculate due rewards until none is left or ten seconds are over. Safe in many processes."""
    return drain(db.engine)


def drain(engine: Engine, budget: float = BUDGET_SECONDS, batch: int | None = None) -> int:
    """Take, calculate, post, batch after batch. Returns how many invoices were handled."""
    handled = 0
    until = time.monotonic() + budget
    size = batch or BATCHES[engine.dialect.name]
    while time.monotonic() < until:
        suspect = _step(engine, 1, suspects=True)
        fresh = _step(engine, size, suspects=False)
        if suspect + fresh == 0:
            break
        handled += suspect + fresh
    return handled


def follow(engine: Engine) -> int:
    """Calculate what is due and was never tried, one batch of it. Returns how many invoices."""
    return _step(engine, BATCHES[engine.dialect.name], suspects=False)


def _step(engine: Engine, limit: int, suspects: bool) -> int:
    taken = []
    try:
        with time_batch("rewards"), transaction(engine) as session:
            hold_stage(session, STAGE)
            crash_point("rewards.stage_held")
            taken = due.take(session, limit, suspects)
            if not taken:
                return 0
            kinds = _calculate(session, taken)
            crash_point("rewards.before_commit")
        crash_point("rewards.committed")
    except Exception as problem:
        if not taken:
            raise
        log.exception("rewards_batch_failed", invoices=len(taken))
        with transaction(engine) as session:
            if suspects:
                due.fail(session, taken[0], f"{type(problem).__name__}: {problem}")
            else:
                due.try_alone(session, taken)
        return len(taken)
    for kind, number in Counter(kinds).items():
        count_entries(kind, number)
    return len(taken)


def calculate_due(session: Session, limit: int, kinds: list[str]) -> int:
    """Calculate what is due and was never tried, for one who holds the stage. Returns how much.

    Adds the kinds of the ledger entries posted. What fails is left to be tried alone.
    """
    taken = due.take(session, limit, suspects=False)
    try:
        with session.begin_nested():
            kinds += _calculate(session, taken)
    except Exception:
        log.exception("rewards_batch_failed", invoices=len(taken))
        due.try_alone(session, taken)
    return len(taken)


def _calculate(session: Session, taken: Sequence[due.AnyRow]) -> list[str]:
    causes = {(row.integration_id, row.invoice_id): row.cause_event_id for row in taken}
    crash_point("rewards.taken")
    kinds = service.calculate(session, causes).kinds if causes else []
    crash_point("rewards.calculated")
    due.forget(session, causes)
    crash_point("rewards.forgotten")
    return kinds
