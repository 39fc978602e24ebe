"""Events whose rewards depend on what came before: as if each had come alone (DOMAIN V10).

Where a rule counts, an event and its rewards are one step, and the steps follow the log. Events
that have nothing to do with each other take theirs together, which comes to the same; when it turns
out that they have, what they did is undone and they are taken in halves, in the end one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import Reading
from rewards_service.chargebee.resources import CUSTOMER, INVOICE
from rewards_service.inbox.service import Ending
from rewards_service.kit.db import hold_stage
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key
from rewards_service.programs.queries import all_versions
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards import service as rewards
from rewards_service.transactions import due
from rewards_service.transactions import service as transactions
from rewards_service.webhooks import processing
from rewards_service.webhooks.apart import Thing, payer_of, runs, things_of
from rewards_service.webhooks.batch import AnyRow, Batch

log = structlog.get_logger()

CATCH_UP = 1_000  # invoices that were due before, calculated together


class _Entangled(Exception):
    """Events taken together had to do with each other after all."""


@dataclass(slots=True)
class Done:
    """What became of a batch: endings of its events, kinds of the ledger entries it posted."""

    endings: dict[int, Ending] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


def process(
    session: Session, events: Sequence[AnyRow], known: Mapping[int, Reading] | None = None
) -> Done:
    """Do everything that follows from these events. The caller holds the events stage.

    Rewards are left to their own stage, unless a rule counts. known: as `processing.read` takes it.
    """
    if not any(version.terms.counts for version in all_versions(session).values()):
        return Done(processing.process(session, events, known=known).endings)
    hold_stage(session, reward_jobs.STAGE)
    done = Done()
    while reward_jobs.calculate_due(session, CATCH_UP, done.entries):
        pass
    _in_order(session, processing.read(session, events, known=known), done)
    return done


def _in_order(session: Session, whole: Batch, done: Done) -> None:
    ids = {event.id for event in whole.active}
    rest = whole.part([event for event in whole.events if event.id not in ids])
    done.endings |= processing.complete(session, rest).endings
    things = _things(session, whole)
    payers = {key: payer_of(whole.readings[key], some) for key, some in things.items()}
    for run in runs(whole.active, things, payers):
        _together(session, whole, run, things, done)


def _things(session: Session, whole: Batch) -> dict[int, set[Thing]]:
    """What each event is about, with the top of every account hierarchy it touches (M14)."""
    found = {
        event.id: things_of(event.integration_id, whole.readings[event.id])
        for event in whole.active
    }
    named = {(site, name) for things in found.values() for site, kind, name in things
             if kind == CUSTOMER}  # fmt: skip
    tops = {key: row.root_id for key, row in mirror.customers(session, named).items()}
    for things in found.values():
        roots = {(site, tops.get((site, name))) for site, kind, name in things if kind == CUSTOMER}
        things |= {(site, CUSTOMER, root) for site, root in roots if root}
    return found


def _together(
    session: Session, whole: Batch, run: Sequence[AnyRow], things: Mapping[int, set[Thing]],
    done: Done,
) -> None:  # fmt: skip
    try:
        with session.begin_nested():
            batch = processing.complete(session, whole.part(run))
            causes = _causes(batch, run, things)
            entries = _calculate(session, causes, alone=len(run) == 1)
    except _Entangled:
        middle = len(run) // 2
        for half in (run[:middle], run[middle:]):
            _together(session, whole, half, things, done)
        return
    done.endings |= batch.endings
    done.entries += entries


def _causes(
    batch: Batch, run: Sequence[AnyRow], things: Mapping[int, set[Thing]]
) -> dict[Key, int | None]:
    """Invoice that is due -> the one event that is about it."""
    if len(run) == 1:
        return dict.fromkeys(batch.due, run[0].id)
    about = {(site, name): event.id for event in run for site, kind, name in things[event.id]
             if kind == INVOICE}  # fmt: skip
    if batch.corrections or not batch.due.keys() <= about.keys():
        raise _Entangled
    return {key: about[key] for key in batch.due}


def _calculate(session: Session, causes: dict[Key, int | None], alone: bool) -> list[str]:
    """Rewards at once; where that fails, they wait for their own stage, which tries again."""
    if not causes:
        return []
    try:
        with session.begin_nested():
            reached = rewards.calculate(session, causes)
            due.forget(session, causes)
    except Exception:
        if not alone:
            raise _Entangled from None
        log.exception("rewards_left_for_later", invoices=len(causes))
        transactions.mark_due(session, causes)
        return []
    # What one leaves of a cap goes to others before the next event may have it (A10).
    if reached.gave_room and not alone:
        raise _Entangled
    return reached.kinds
