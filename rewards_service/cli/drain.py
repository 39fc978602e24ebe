"""`rewards drain`: wait until everything received is worked off."""

import sys
import time

import click
from sqlalchemy import Engine, func, literal, select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, reading, start
from rewards_service.inbox.models import DEAD, PENDING, QUARANTINED, ReceivedEvent
from rewards_service.rewards import jobs as rewards
from rewards_service.settings import Settings
from rewards_service.transactions.models import RewardDue
from rewards_service.webhooks import jobs as events
from rewards_service.webhooks import verifying

PAUSE_SECONDS = 0.2
SLICE_SECONDS = 2.0


@click.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Give up after so many seconds.",
)
@as_json_option
def drain(timeout: float, as_json: bool) -> None:
    """Wait until no event is pending and no reward is due, and say what needs a person.

    It lends a hand, so it works without a worker too. `pending` counts events and due rewards that
    will still be tried; those that gave up are `dead`. Exit status 1 when the time is over first.
    """
    settings = start()
    with migrated(settings) as engine:
        left = work_off(engine, settings, timeout)
    lines = [f"{left['pending']} pending, {left['quarantined']} quarantined, {left['dead']} dead"]
    answer(as_json, left, lines)
    if left["pending"]:
        sys.exit(1)


def work_off(engine: Engine, settings: Settings, seconds: float) -> dict[str, int]:
    """Lend a hand until nothing waits or the time is over: what is left, by state."""
    until = time.monotonic() + seconds
    left = _count(engine)
    while left["pending"] and time.monotonic() < until:
        left = _work(engine, settings, until)
    return left


def _work(engine: Engine, settings: Settings, until: float) -> dict[str, int]:
    """One round; what was not free to be taken, another worker has or waits for its next try."""
    budget = min(SLICE_SECONDS, until - time.monotonic())
    done = events.drain(engine, budget) + rewards.drain(engine, budget)
    done += verifying.run(engine, settings, budget)
    left = _count(engine)
    if left["pending"] and not done:
        time.sleep(max(0.0, min(PAUSE_SECONDS, until - time.monotonic())))
    return left


def _count(engine: Engine) -> dict[str, int]:
    event = ReceivedEvent
    found = dict.fromkeys((PENDING, DEAD, QUARANTINED), 0)
    with Session(reading(engine)) as session:
        for state in found:  # as a literal, which lets SQLite use the state's partial index
            wanted = literal(state, literal_execute=True)
            query = select(func.count()).select_from(event).where(event.state == wanted)
            found[state] = session.scalars(query).one()
        due = select(RewardDue.dead, func.count()).group_by(RewardDue.dead)
        for dead, number in session.execute(due):
            found[DEAD if dead else PENDING] += number
    return found
