"""Ask Chargebee whether an event is its own, before money follows from it.

Asking takes as long as the other side likes, so it is no part of the batches: an event that is to
be asked about is set aside, and comes back with the answer. Nothing is held while it is asked.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rewards_service.chargebee.errors import Garbled, NotThere
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.verifying import NOT_THERE, OFF, difference, needs_asking
from rewards_service.connections.access import access_of
from rewards_service.inbox import envelope, verification
from rewards_service.inbox.service import Leased
from rewards_service.inbox.verification import Asking
from rewards_service.integrations.models import Integration
from rewards_service.integrations.options import Options
from rewards_service.kit import bells
from rewards_service.kit.beside import Beside
from rewards_service.kit.db import READ_ONLY, db, transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.http import Patience
from rewards_service.kit.queue import EVENTS
from rewards_service.kit.web import current_settings
from rewards_service.settings import Settings
from rewards_service.webhooks.processing import load_options, parse

log = structlog.get_logger()

BUDGET_SECONDS = 30.0
AT_ONCE = 50
# Who waits for the answer is the partner, and who is asked may be down: try again later.
PATIENCE = Patience(connect_seconds=5.0, read_seconds=15.0, total_seconds=20.0, attempts=3)
_beside = Beside("verifications")


def set_aside(session: Session, leased: Leased) -> Leased:
    """Let those of leased events wait that Chargebee is to be asked about; the rest is to handle.

    Only what may have effects: not what its integration observes or ignores.
    """
    if not leased.ids:
        return leased
    own = Integration
    query = select(own.id, own.verify, own.verify_above_minor).where(own.verify != OFF)
    rules = {row.id: row for row in session.execute(query)}
    if not rules:
        return leased
    unasked = verification.unasked(session, leased.ids, rules)
    options = load_options(session, unasked)
    wanted = [event for event in unasked if _is_wanted(event, options[event.options_id], rules)]
    if not wanted:
        return leased
    verification.want(session, wanted)
    aside = {event.id for event in wanted}
    return leased._replace(ids=[key for key in leased.ids if key not in aside])


def _is_wanted(event: Any, met: Options, rules: Mapping[int, Any]) -> bool:
    if met.all_off or met.mode != "live":
        return False
    rule, body = rules[event.integration_id], event.body
    above_minor = rule.verify_above_minor or {}
    try:
        return needs_asking(rule.verify, above_minor, event.event_type, parse(body), len(body))
    except Exception:  # one event must not hold up the others, nor pass for that
        log.exception("event_not_understood", event_id=event.id)
        return True


def run_due() -> int:
    """Begin to ask about events that wait for it, beside the caller. Safe in many processes."""
    engine, settings = db.engine, current_settings()
    if _has_wanted(engine):
        _beside.start(lambda: run(engine, settings))
    return 0


def _has_wanted(engine: Engine) -> bool:
    """Looked at without SQLite's write lock: mostly there is nothing to ask."""
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        return verification.has_wanted(session)


def run(engine: Engine, settings: Settings, budget: float = BUDGET_SECONDS) -> int:
    """Ask about every event that is due, until the time is over. Returns how many were answered."""
    until = time.monotonic() + budget
    answered = 0
    while time.monotonic() < until and _has_wanted(engine):
        with transaction(engine) as session:
            asking = verification.lease_wanted(session, uuid4().hex, AT_ONCE)
        by_site = sorted(asking.events, key=lambda event: (event.integration_id, event.id))
        for key, events in groupby(by_site, key=lambda event: int(event.integration_id)):
            some = Asking(asking.token, list(events))
            answered += _ask_site(engine, settings, key, some, until)
    return answered


def _ask_site(
    engine: Engine, settings: Settings, integration_id: int, asking: Asking, until: float
) -> int:
    """Ask one site, event after event, until it cannot say or the time is over: the rest waits."""
    left = list(asking.events)
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        integration = session.get_one(Integration, integration_id)  # deleted meanwhile or not
    if integration.verify == OFF:
        _leave(engine, asking.token, left, unasked=True)
        bells.ring(EVENTS)
        return len(left)
    try:
        with access_of(settings, integration).open(settings, PATIENCE) as site:
            while left and time.monotonic() < until:
                _ask_safely(engine, site, asking.token, left[0])
                left.pop(0)
    except RewardsError as problem:
        log.warning("verification_waits", integration=integration_id, why=problem.detail)
        _wait(engine, asking.token, left, problem.detail)
    else:
        _leave(engine, asking.token, left)
    bells.ring(EVENTS)
    return len(asking.events) - len(left)


def _leave(engine: Engine, token: str, events: Sequence[Any], unasked: bool = False) -> None:
    with transaction(engine) as session:
        verification.release(session, token, [event.id for event in events], unasked)


def _ask_safely(engine: Engine, site: Chargebee, token: str, event: Any) -> None:
    """As `_ask`; an event that we cannot compare waits by itself, for a person to look at."""
    try:
        _ask(engine, site, token, event)
    except (RewardsError, SQLAlchemyError):
        raise
    except Exception as problem:
        log.exception("event_not_compared", event_id=event.id)
        _wait(engine, token, [event], f"It could not be compared: {type(problem).__name__}.")


def _ask(engine: Engine, site: Chargebee, token: str, event: Any) -> None:
    """Settle one event. Raises RewardsError when the site cannot say."""
    try:
        theirs = dict(site.events.retrieve(event.event_id))
    except ValueError:  # an id that fits no address: they would not have made it
        problem: str | None = NOT_THERE
    except NotThere:
        if event.verification_tries == 0:  # Chargebee may show it a moment later
            _wait(engine, token, [event], NOT_THERE)
            return
        problem = NOT_THERE
    else:
        if envelope.not_an_event(theirs) is not None:
            raise Garbled("Asked for an event, Chargebee answered with something that is none.")
        problem = difference(parse(event.body), parse(envelope.listed(theirs).body))
    with transaction(engine) as session:
        verification.settle(session, token, event.id, problem)


def _wait(engine: Engine, token: str, events: Sequence[Any], why: str) -> None:
    with transaction(engine) as session:
        ids = [event.id for event in events]
        verification.ask_again_later(session, token, events[0], ids, why)
