"""What happened to an event, in order, with the times that are stored, and no other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin.activity import Line
from rewards_service.admin.inspect.led import Led
from rewards_service.admin.inspect.payload import visible
from rewards_service.admin.inspect.wording import SOURCES, meaning_of
from rewards_service.admin.layout import money, waited
from rewards_service.admin.places import link_to
from rewards_service.crm.matching import Claim
from rewards_service.inbox.models import (
    CONFIRMED,
    DEAD,
    PENDING,
    REFUSED,
    WANTED,
    WEBHOOK,
    OtherDelivery,
    ReceivedEvent,
)
from rewards_service.inbox.service import MAX_ATTEMPTS
from rewards_service.mirror.queries import applications_of
from rewards_service.transactions.models import RewardDue


class Step(NamedTuple):
    """Something that happened. `at` None: no time of its own is kept; `gap`: since the last one."""

    at: datetime | None
    what: Any
    words: Any = ""
    tone: str = "success"
    gap: str = ""


def steps(
    session: Session, event: ReceivedEvent, led: Led, claim: Claim | None, lines: Sequence[Line]
) -> list[Step]:
    """Received, verified, told apart from repetitions, matched, recorded, computed, repeated."""
    found = [*_arrived(event), *_verified(event)]
    found += _waiting(event) if event.state == PENDING else _handled(event, led, claim)
    found += _rewarded(session, event, led)
    acts = [
        Step(line.entry.at, line.what.capitalize(), _by(line), "info") for line in reversed(lines)
    ]
    return _with_gaps(_placed(found, [*_repeated(session, event), *acts]))


def _placed(found: list[Step], others: Sequence[Step]) -> list[Step]:
    """Put what happened besides behind all that was before it."""
    for other in others:
        before = [n for n, step in enumerate(found) if step.at and other.at and step.at <= other.at]
        found.insert(before[-1] + 1 if before else len(found), other)
    return found


def _with_gaps(found: Sequence[Step]) -> list[Step]:
    timed, last = [], None
    for step in found:
        gap = ""
        if step.at is not None:
            gap = _gap(last, step.at)
            last = step.at
        timed.append(step._replace(gap=gap))
    return timed


def _gap(last: datetime | None, at: datetime) -> str:
    """`+ 12 ms`, `+ 3.1 s`, `+ 5 min`; empty when nothing, or nothing sensible, went before."""
    if last is None or at < last:
        return ""
    micros = (at - last).days * 86_400_000_000 + (at - last).seconds * 1_000_000
    millis = (micros + (at - last).microseconds) // 1_000
    if millis < 1_000:
        return f"+ {millis} ms"
    if millis < 60_000:
        return f"+ {millis // 1_000}.{millis % 1_000 // 100} s"
    return f"+ {waited(millis // 1_000)}"


def _arrived(event: ReceivedEvent) -> list[Step]:
    found = [Step(event.occurred_at, "Happened in Chargebee")] if event.occurred_at else []
    found.append(Step(event.received_at, f"Received by {SOURCES[event.source]}"))
    if event.source == WEBHOOK:
        words = "User name and password were right: without, nothing is kept."
        found.append(Step(None, "Verified", words))
    else:
        found.append(Step(None, "Verified", "It was read from Chargebee itself."))
    words = "No event under this id was there. Equal repetitions are answered and not counted."
    return [*found, Step(None, "Told apart from repetitions", words)]


def _repeated(session: Session, event: ReceivedEvent) -> list[Step]:
    found = []
    if event.webhook_at:
        found.append(Step(event.webhook_at, "Came by webhook, too", "It counts once."))
    if event.other_body_seen:
        count, first = session.execute(
            select(func.count(), func.min(OtherDelivery.received_at)).where(
                OtherDelivery.received_event_id == event.id
            )
        ).one()
        words = f"{count} with other contents: kept beside the first, not acted on."
        found.append(Step(first, "Came again under the same id", words, "warning"))
    return found


def _verified(event: ReceivedEvent) -> list[Step]:
    note = visible(event.verification_note) if event.verification_note else ""
    if event.verification == CONFIRMED:
        return [Step(None, "Confirmed by Chargebee", "Its own copy says the same.")]
    if event.verification == REFUSED:
        return [Step(None, "Not confirmed by Chargebee", note, "danger")]
    if event.verification == WANTED:
        asked = f" Asked {event.verification_tries} times." if event.verification_tries else ""
        return [Step(None, "Chargebee is asked for its own copy", note + asked, "info")]
    return []


def _waiting(event: ReceivedEvent) -> list[Step]:
    if event.attempts == 0:
        return [Step(None, "Waits for a worker", "", "info")]
    left = f"Try {event.attempts} of {MAX_ATTEMPTS} failed."
    return [
        Step(None, left, visible(event.error or "the worker ended"), "danger"),
        Step(event.next_attempt_at, "Next try", "", "info"),
    ]


def _handled(event: ReceivedEvent, led: Led, claim: Claim | None) -> list[Step]:
    """What it matched, what was recorded, how it ended: in one transaction, or some of it later."""
    found = [*_matched(led, claim and claim.email_key), *_recorded(event, led)]
    meaning = meaning_of(event.state, event.outcome, event.verification, event.attempts)
    words = meaning.short if event.state != DEAD else visible(event.error or meaning.why)
    end = Step(event.finished_at, f"Ended: {meaning.word}", words, meaning.tone)
    over = event.finished_at
    if over is None or not any(step.at and step.at > over for step in found):
        return [*found, end]
    first = Step(event.finished_at, "Handled", "The rest came later: by hand, or another event.")
    return [first, *found, end._replace(at=None)]


def _matched(led: Led, key: str | None) -> list[Step]:
    found = []
    if led.lead:
        linked = Markup("Lead {}").format(link_to("lead", led.lead.id, visible(led.lead.email)))
        by_email = led.lead.email_key == key and key is not None
        what = "Matched a lead by its e-mail address" if by_email else "Went to a lead"
        found.append(Step(None, what, linked))
    for deal in led.deals:
        linked = Markup("Deal {}").format(link_to("deal", deal.id, visible(deal.name)))
        by_email = deal.email_key == key and key is not None
        what = "Matched a deal by its contact" if by_email else "Went to a deal"
        found.append(Step(None, what, linked))
    if led.customer:
        name = led.customer.name or led.customer.email
        linked = link_to("customer", led.customer.id, visible(name) if name else None)
        found.append(Step(None, "Payer is a customer", linked))
    return found


def _recorded(event: ReceivedEvent, led: Led) -> list[Step]:
    paid = led.transaction
    if paid is None or paid.received_event_id != event.id:
        return []
    amount = link_to("transaction", paid.id, money(paid.amount_minor, paid.currency))
    return [Step(paid.created_at, "Transaction recorded", amount)]


def _rewarded(session: Session, event: ReceivedEvent, led: Led) -> list[Step]:
    found = []
    for row in _due(session, led):
        words = Markup("Invoice {}").format(visible(row.invoice_id))
        if row.dead:
            found.append(
                Step(None, "Rewards could not be worked out", visible(row.error), "danger")
            )
        else:
            found.append(Step(row.due_at, "Rewards are queued", words, "info"))
    for one in led.rewards:
        mine = [entry for entry in one.entries if entry.cause_event_id == event.id]
        if mine:
            change = sum(entry.amount_minor for entry in mine)
            linked = Markup("{} for {}").format(
                link_to("reward", one.reward.id, money(change, one.reward.currency)),
                link_to("partner", one.reward.partner_id, visible(one.partner)),
            )
            found.append(Step(mine[0].posted_at, "Reward computed", linked))
    return found


def _due(session: Session, led: Led) -> list[RewardDue]:
    if led.transaction is None:
        return []
    site = led.transaction.integration_id
    applied = applications_of(session, [(site, led.transaction.chargebee_transaction_id)])
    names = [row.invoice_id for row in applied][:20]
    query = select(RewardDue).where(
        RewardDue.integration_id == site, RewardDue.invoice_id.in_(names)
    )
    return list(session.scalars(query))


def _by(line: Line) -> Markup:
    reason = f": {line.entry.reason}" if line.entry.reason else ""
    return visible(line.who + reason)
