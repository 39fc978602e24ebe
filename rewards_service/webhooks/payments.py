"""Payments of a batch: matched to customers, recorded, and kept true to the mirror."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.crm import conversion
from rewards_service.crm import queries as crm
from rewards_service.crm.books import Attributed
from rewards_service.crm.matching import Claim, Payer
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.emails import is_folded
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key
from rewards_service.mirror.service import Changed
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids
from rewards_service.transactions import service as transactions
from rewards_service.webhooks.batch import Batch


@dataclass(slots=True)
class Paid:
    """Which recorded payments a batch made or touched."""

    recorded: dict[Key, int] = field(default_factory=dict)  # new or changed -> transaction key
    applications: list[Any] = field(default_factory=list)  # of those, also undone ones
    gone: set[Key] = field(default_factory=set)  # recorded until now, and withdrawn
    moved: set[Key] = field(default_factory=set)  # Chargebee customers whose attribution changed


def apply(session: Session, batch: Batch, changed: Changed) -> Paid:
    """Match, record, and answer each payment event; follow corrections of recorded payments."""
    claims = _claims(session, batch)
    attributed = conversion.attribute(session, claims, batch.held.keys())
    crash_point("events.attributed")
    return follow(session, batch, claims, attributed, changed.payments)


def follow(
    session: Session,
    batch: Batch,
    claims: list[Claim],
    attributed: Attributed,
    touched: set[Key],
) -> Paid:
    """Record what attribution made known, and answer its events; `touched`: changed payments."""
    paid = Paid(moved=_moved(attributed))
    candidates = _candidates(claims, attributed)
    _add_rivals(session, candidates)
    _look_up(
        session, {c.payer for c in candidates.values()} - {c.payer for c in claims}, attributed
    )
    counting = _counting(candidates, attributed)
    withdrawn = {payer for payer in attributed.moved if payer not in attributed.known}
    paid.gone = transactions.withdraw(session, withdrawn, candidates.values())
    fresh, new = transactions.record(session, list(counting.values()), attributed.known)
    crash_point("events.payments_recorded")
    stale = (touched | fresh.keys()) - new
    paid.recorded = {**transactions.refresh(session, stale), **fresh}
    paid.applications = mirror.applications_of(session, paid.recorded.keys() | paid.gone)
    _answer(batch, candidates, counting, attributed, fresh)
    return paid


def _claims(session: Session, batch: Batch) -> list[Claim]:
    roots = _roots(session, batch)
    found = []
    for event in batch.active:
        payment = batch.readings[event.id].payment
        if payment is None:
            continue
        if event.id in batch.held:
            found.append(batch.held[event.id])
            continue
        options = batch.options_of(event)
        payer = Payer(event.integration_id, payment.customer_id)
        if options.hierarchy == "root":
            payer = Payer(payer.integration_id, roots.get(payer, payer.chargebee_id))
        found.append(
            Claim(
                event.id, event.event_id, payer, payment.transaction_id, payment.email,
                payment.email_key, payment.customer_name, payment.paid_at, event.occurred_at,
                options.convert_lead, options.associate_deal, options.create_transaction,
                options.conflict == "first_wins",
            )
        )  # fmt: skip
    return found


def _roots(session: Session, batch: Batch) -> dict[Key, str]:
    """The top of each payer's account hierarchy, where the option asks for it (DOMAIN M14)."""
    keys = {
        (event.integration_id, payment.customer_id)
        for event in batch.active
        if (payment := batch.readings[event.id].payment) is not None
        and batch.options_of(event).hierarchy == "root"
    }
    rows = mirror.customers(session, keys)
    return {key: row.root_id for key, row in rows.items() if row.root_id}


def _moved(attributed: Attributed) -> set[Key]:
    """Chargebee customers whose rewards must be worked out again."""
    moved = {tuple(payer) for payer in attributed.moved}
    moved |= {
        tuple(payer)
        for payer, owner in attributed.known.items()
        if owner in attributed.changed_customers
    }
    return moved  # type: ignore[return-value]


def _candidates(claims: list[Claim], attributed: Attributed) -> dict[int, Claim]:
    """Claims to record or answer anew: the batch's, and all of payers that changed (M16)."""
    changed = {Payer(*key) for key in _moved(attributed)}
    found = {claim.event: claim for claim in claims}
    for claim in attributed.claims:
        if claim.payer in changed:
            found[claim.event] = claim
    return found


def _add_rivals(session: Session, candidates: dict[int, Claim]) -> None:
    """Other events may tell of the same payments."""
    wanted = {_key(claim) for claim in candidates.values() if claim.create_transaction}
    crm.add_claims_of_transactions(session, wanted, candidates)


def _counting(candidates: dict[int, Claim], attributed: Attributed) -> dict[Key, Claim]:
    """Of the events that tell of one payment, the earliest of a known payer counts."""

    def place(claim: Claim) -> tuple[bool, datetime, str]:
        return claim.payer not in attributed.known, claim.occurred_at, claim.event_id

    counting: dict[Key, Claim] = {}
    for claim in sorted(candidates.values(), key=place):
        if claim.create_transaction:
            counting.setdefault(_key(claim), claim)
    return counting


def _look_up(session: Session, payers: set[Payer], attributed: Attributed) -> None:
    """Others may have been named as payer of the same payments by events handled before."""
    payers -= attributed.known.keys()
    if payers:
        definition_id = definition_ids(session)[CUSTOMER_ID]
        attributed.known |= crm.find_links(session, definition_id, payers)


def _key(claim: Claim) -> Key:
    return claim.payer.integration_id, claim.transaction_id


def _answer(
    batch: Batch,
    candidates: dict[int, Claim],
    counting: dict[Key, Claim],
    attributed: Attributed,
    fresh: dict[Key, int],
) -> None:
    for event_id, claim in candidates.items():
        found = dict(attributed.results.get(event_id, {}))
        found["customer_id"] = attributed.known.get(claim.payer)
        found["key_folded"] = is_folded(claim.email)
        if not claim.create_transaction:
            continue
        found["transaction_id"] = fresh.get(_key(claim))
        batch.correct(event_id, _outcome(claim, counting, attributed), **found)
    for event_id, outcome in attributed.outcomes.items():
        batch.correct(event_id, outcome, **attributed.results.get(event_id, {}))


def _outcome(claim: Claim, counting: dict[Key, Claim], attributed: Attributed) -> str:
    if claim.payer not in attributed.known:
        return "unknown_customer" if claim.email_key else "no_email"
    is_first = counting[_key(claim)].event == claim.event
    return "transaction_recorded" if is_first else "already_processed"
