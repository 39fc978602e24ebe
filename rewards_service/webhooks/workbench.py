"""What people do with single events: match a payment by hand, or try an event once more."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rewards_service.audit.service import MACHINE, record
from rewards_service.crm import deciding
from rewards_service.crm.matching import Claim
from rewards_service.crm.queries import claims_of_events
from rewards_service.inbox import service as inbox
from rewards_service.inbox.listing import get_event
from rewards_service.inbox.models import PENDING, PURGED, ReceivedEvent
from rewards_service.kit.db import rehearsal
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.webhooks import processing
from rewards_service.webhooks.consequences import RewardChange, calculate_now
from rewards_service.webhooks.rework import hold_stages, rework

log = structlog.get_logger()


class EventPending(Conflict):
    code = "event_pending"
    title = "This event has not been handled yet."


class BodyPurged(Conflict):
    code = "body_purged"
    title = "The body of this event is not kept any more."


class NotAPayment(Conflict):
    code = "not_a_payment"
    title = "This event is not a payment that could be given to somebody."


@dataclass(slots=True)
class Attached:
    """What came of attaching a payment; `customer_is_new`: it was made by it."""

    event: dict[str, Any]  # state, outcome, results
    customer_id: int
    customer_is_new: bool
    transactions: list[dict[str, Any]]
    changes: list[RewardChange]


@dataclass(slots=True)
class Replayed:
    """An event before and after another try, and the rewards that changed by it."""

    before: dict[str, Any]  # state, outcome, results, error
    after: dict[str, Any]
    changes: list[RewardChange] = field(default_factory=list)


def maybe_rehearsal(session: Session, dry_run: bool) -> AbstractContextManager[None]:
    """A rehearsal when nothing is to be kept, else nothing around it."""
    return rehearsal(session) if dry_run else nullcontext()


def attach_event(
    session: Session,
    event_key: int,
    chosen: tuple[str, int],
    reason: str,
    actor: str,
    dry_run: bool = False,
) -> Attached:
    """Give the payer of an event to chosen = ("lead" | "deal" | "customer", key).

    All payments of the payer are processed again and their rewards calculated at once, also for
    payments before the lead or deal was registered. With `dry_run` nothing is kept. Raises
    NotFound, EventPending, NotAPayment, PayerKnown, LeadConverted, DealAssociated, CustomerHasId.
    """
    hold_stages(session)
    claim = _claim_of(session, get_event(session, event_key))
    with maybe_rehearsal(session, dry_run):
        return attach_claim(session, claim, chosen, reason, actor)


def attach_claim(
    session: Session, claim: Claim, chosen: tuple[str, int], reason: str, actor: str
) -> Attached:
    """Give a payment's payer to somebody, and do what follows. The caller holds both stages."""
    kind, key = chosen
    customer_id = deciding.attach(session, claim, kind, key, actor, reason).id
    done = rework(session, [claim.payer], claim.event)
    return Attached(
        facts_of(session.get_one(ReceivedEvent, claim.event)),
        customer_id,
        kind != "customer",
        done.transactions,
        done.changes,
    )


def _claim_of(session: Session, event: ReceivedEvent) -> Claim:
    if event.state == PENDING:
        raise EventPending("It will be handled in a moment. Look again, then decide.")
    claim = claims_of_events(session, [event.id]).get(event.id)
    if claim is None:
        raise NotAPayment(
            f"Only a payment_succeeded event that was understood in mode live can be attached; "
            f"this is {event.event_type}, {event.state}, {event.outcome}. An event that is "
            "quarantined or dead can be replayed first."
        )
    return claim


def replay_event(
    session: Session,
    event_key: int,
    dry_run: bool = False,
    actor: str = MACHINE,
    reason: str | None = None,
) -> Replayed:
    """Handle one event once more, by the options it met when it came (DOMAIN M13, V9).

    What is done comes to the same and posts nothing twice; a quarantined, dead or observed one
    gets another try. A try that fails leaves the event as it was, with the error. With `dry_run`
    nothing is kept. Raises NotFound, EventPending, BodyPurged.
    """
    hold_stages(session)
    event = get_event(session, event_key)
    if event.state == PENDING:
        raise EventPending("It will be handled in a moment: there is nothing to repeat yet.")
    if event.body == PURGED:
        raise BodyPurged(
            "It was kept as long as RETAIN_BODIES_DAYS says. What followed from the event stays."
        )
    before = facts_of(event)
    with maybe_rehearsal(session, dry_run):
        changes, error = _try_again(session, event_key)
        event = get_event(session, event_key)
        if error is not None:
            event.error = error
        after = facts_of(event)
        detail = {"before": before["outcome"], "after": after["outcome"]}
        record(session, "event.replayed", ("event", event_key), detail, actor, reason)
        session.flush()
        return Replayed(before, after, changes)


def _try_again(session: Session, event_key: int) -> tuple[list[RewardChange], str | None]:
    try:
        with session.begin_nested():
            row = inbox.load_again(session, event_key)
            if row is None:
                raise NotFound("There is no such event.")
            held = claims_of_events(session, [event_key])
            batch = processing.process(session, [row], held)
            changes = calculate_now(session, batch.due)
    except (OperationalError, NotFound):
        raise
    except Exception as problem:
        log.exception("replay_failed", event_id=event_key)
        return [], f"{type(problem).__name__}: {problem}"[:2000]
    finally:
        session.expire_all()
    return changes, None


def facts_of(event: ReceivedEvent) -> dict[str, Any]:
    """How an event stands, as plain values."""
    return {
        "state": event.state,
        "outcome": event.outcome,
        "results": event.results or {},
        "error": event.error,
    }
