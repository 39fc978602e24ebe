"""Let everything happen again in the scratch, through the functions by which it happened."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any
from uuid import uuid4

import orjson
import structlog
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import Reading
from rewards_service.inbox import service as inbox
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.inbox.service import Leased
from rewards_service.kit.alongside import Alongside
from rewards_service.kit.bulk import among
from rewards_service.kit.db import hold_stage, table_of, transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.replay import deciding
from rewards_service.replay.ahead import Ahead, Readings
from rewards_service.replay.moments import (
    ADJUSTMENT,
    APPEARING,
    CUT,
    DECISION,
    EVENT,
    STATUS,
    VERSION,
    Moment,
)
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.webhooks import jobs as event_jobs
from rewards_service.webhooks import sequence

log = structlog.get_logger()

BATCH = 1_000  # events; batches of the live service are put together up to here
WORTH_A_THREAD = 200  # events; below, rewards are calculated at once
NO_LIMIT = 86_400.0
Progress = Callable[[int], None]


@dataclass(slots=True)
class Run:
    """One replay: where it takes place, what is waiting, and what could not be done again."""

    engine: Engine
    progress: Progress
    ahead: Ahead
    events: int = 0
    waiting: list[int] = field(default_factory=list)
    next: tuple[list[int], Readings] | None = None  # a batch that is being read
    failures: list[dict[str, Any]] = field(default_factory=list)
    rewards: Alongside | None = None


def play(engine: Engine, moments: Iterator[Moment], progress: Progress) -> Run:
    """Let the moments happen in their order. The caller compares what came of it."""
    run = Run(engine, progress, Ahead(engine))
    try:
        for rank, same in groupby(moments, key=lambda moment: int(moment.rank)):
            if rank == EVENT:
                for _, together in groupby(same, key=lambda moment: moment.at):
                    _add(run, [moment.ref for moment in together])
                continue
            _settle(run)
            _DOINGS[rank](run, same)
        _settle(run)
    finally:
        _join(run)
        run.ahead.close()
    return run


def _add(run: Run, keys: list[int]) -> None:
    """Events that were handled together stay together; batches are joined in log order only."""
    full = len(run.waiting) + len(keys) > BATCH
    if run.waiting and (full or keys[0] < run.waiting[-1]):
        _pass_on(run)
    run.waiting += keys


def _pass_on(run: Run) -> None:
    """Begin to read the batch that is complete, and handle the one before it meanwhile."""
    keys, run.waiting = run.waiting, []
    before, run.next = run.next, (keys, run.ahead.read(keys)) if keys else None
    if before is not None:
        _handle_batch(run, *before)


def _handle_batch(run: Run, keys: list[int], readings: Readings) -> None:
    # Whatever could not be read shows where it is handled, event by event.
    _handle(run, keys, {} if readings.exception() else readings.result())
    run.events += len(keys)
    run.progress(run.events)
    if len(keys) >= WORTH_A_THREAD and run.engine.dialect.name == "postgresql":
        if run.rewards is None:
            work = partial(reward_jobs.drain, run.engine, NO_LIMIT)
            run.rewards = Alongside("replayed-rewards", work)
        run.rewards.ask()


def _handle(run: Run, keys: list[int], known: Mapping[int, Reading]) -> None:
    try:
        with transaction(run.engine) as session:
            hold_stage(session, event_jobs.STAGE)
            sequence.process(session, _take(session, keys, known), known)
    except Exception as problem:
        if len(keys) > 1:
            for key in keys:
                _handle(run, [key], {})
            return
        log.exception("replayed_event_failed", event_key=keys[0])
        _fail(run, "event", [keys[0]], "handled", f"{type(problem).__name__}: {problem}")


def _take(session: Session, keys: list[int], known: Mapping[int, Reading]) -> list[Any]:
    token = uuid4().hex
    these = among(session, ReceivedEvent.id, keys)
    session.execute(update(table_of(ReceivedEvent)).where(these).values(lease_token=token))
    leased = Leased(token, sorted(keys), alone=False)
    return inbox.load(session, leased, with_bodies=len(known) < len(keys))


def _settle(run: Run) -> None:
    """Before a person decides: everything received is handled, everything due calculated."""
    _pass_on(run)
    _pass_on(run)
    _join(run)
    reward_jobs.drain(run.engine, NO_LIMIT)


def _join(run: Run) -> None:
    if run.rewards is not None:
        run.rewards.__exit__(None, None, None)
        run.rewards = None


def _bring_versions(run: Run, moments: Iterator[Moment]) -> None:
    version = table_of(RewardRuleVersion)
    with transaction(run.engine) as session:
        for moment in moments:
            statement = update(version).where(version.c.id == moment.ref)
            session.execute(statement.values(rule_id=-version.c.rule_id))


def _bring(run: Run, moments: Iterator[Moment]) -> None:
    """Rows that payments had asked for before can be found from now on."""
    with transaction(run.engine) as session:
        for moment in moments:
            table = table_of(APPEARING[moment.rank])
            hidden = (table.c.id == moment.ref) & table.c.email_key.is_(None)
            session.execute(update(table).where(hidden).values(email_key=moment.reason))


def _decide(run: Run, moments: Iterator[Moment]) -> None:
    for moment in moments:
        detail = orjson.loads(moment.detail)
        _try(run, moment, partial(deciding.decide, moment=moment, detail=detail))
        reward_jobs.drain(run.engine, NO_LIMIT)


def _move(run: Run, moments: Iterator[Moment]) -> None:
    for _, same in groupby(moments, key=lambda one: (one.to_status, one.reason, one.actor)):
        for together in _each_once(same):
            _try(run, together[0], partial(deciding.move, moments=together))
            reward_jobs.drain(run.engine, NO_LIMIT)


def _each_once(moments: Iterable[Moment]) -> Iterator[list[Moment]]:
    """Moves in groups of which each moves a reward once; in between the machine has its say."""
    seen: set[Any] = set()
    group: list[Moment] = []
    for moment in moments:
        slot = (moment.integration_id, moment.invoice_id, moment.rule_version_id,
                moment.partner_id, moment.seq)  # fmt: skip
        if slot in seen:
            yield group
            seen, group = set(), []
        seen.add(slot)
        group.append(moment)
    if group:
        yield group


def _adjust(run: Run, moments: Iterator[Moment]) -> None:
    for moment in moments:
        _try(run, moment, partial(deciding.adjust, moment=moment))


def _try(run: Run, moment: Moment, do: Callable[[Session], None]) -> None:
    try:
        with transaction(run.engine) as session:
            do(session)
    except RewardsError as problem:
        what = moment.action or moment.to_status or "adjusted"
        key = [moment.subject_kind, moment.subject_id] if moment.action else moment.invoice_id
        _fail(run, "decision", key, f"{what} by {moment.actor}", problem.detail)


def _fail(run: Run, kind: str, key: Any, live: str, replayed: str) -> None:
    run.failures.append({"kind": kind, "key": key, "live": live, "replayed": replayed})


def _only_settle(run: Run, moments: Iterator[Moment]) -> None:
    """What was to be done is done: rewards were calculated before the events that follow."""


_DOINGS: dict[int, Callable[[Run, Iterator[Moment]], None]] = {
    CUT: _only_settle,
    VERSION: _bring_versions,
    **dict.fromkeys(APPEARING, _bring),
    DECISION: _decide,
    STATUS: _move,
    ADJUSTMENT: _adjust,
}
