"""The inbox of conflicts: what the machine must not decide, with its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm import deciding
from rewards_service.crm.matching import (
    CONFLICT_AMBIGUOUS,
    CONFLICT_LATE,
    CONFLICT_OTHER_ID,
    CONFLICT_PARTNERS,
    Payer,
)
from rewards_service.crm.models import AttributionConflict, Customer, Deal, Lead
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.models import Partner

CONFLICT_INVOICE = "inconsistent_invoice"
KINDS = (
    CONFLICT_PARTNERS, CONFLICT_OTHER_ID, CONFLICT_AMBIGUOUS, CONFLICT_LATE, CONFLICT_INVOICE,
)  # fmt: skip
OPEN, RESOLVED = STATES = ("open", "resolved")
_PAYER_AT = {CONFLICT_OTHER_ID: 1, CONFLICT_AMBIGUOUS: 1, CONFLICT_LATE: 3}  # in the natural key


@dataclass(slots=True)
class Evidence:
    """Who is concerned: candidates, and whoever owns them now."""

    leads: Sequence[Lead]
    deals: Sequence[Deal]
    customers: Sequence[Customer]
    partners: Sequence[Partner]


def list_conflicts(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """A page of conflicts. wanted: `kind`, `state` (of STATES), if given."""
    query = select(AttributionConflict)
    if "kind" in wanted:
        query = query.where(AttributionConflict.kind == wanted["kind"])
    if "state" in wanted:
        is_open = AttributionConflict.resolved_at.is_(None)
        query = query.where(is_open if wanted["state"] == OPEN else ~is_open)
    return fetch(session, query, AttributionConflict.id, paging)


def get_conflict(session: Session, conflict_id: int, lock: bool = False) -> AttributionConflict:
    """Raises NotFound."""
    lock = lock and is_postgresql(session)
    found = session.get(AttributionConflict, conflict_id, with_for_update=lock)
    if found is None:
        raise NotFound("There is no such conflict.")
    return found


def payer_of(conflict: AttributionConflict) -> Payer | None:
    """The Chargebee customer that a conflict is about; None when it is about none."""
    place = _PAYER_AT.get(conflict.kind)
    if place is None:
        return None
    parts = conflict.natural_key.split(":", place + 1)
    return Payer(int(parts[place]), parts[place + 1])


def evidence(session: Session, conflict: AttributionConflict) -> Evidence:
    """Leads, deals, customers and partners that a conflict is about, as they are now."""
    found = conflict.candidates
    subject = {conflict.subject_kind: [conflict.subject_id]}
    leads = _all(session, Lead, [*found.get("leads", ()), *subject.get("lead", ())])
    deals = _all(session, Deal, [*found.get("deals", ()), *subject.get("deal", ())])
    payer = payer_of(conflict)
    owners = [
        *found.get("customers", ()),
        *(thing.customer_id for thing in (*leads, *deals)),
        *([deciding.owner_of(session, payer)] if payer else []),
    ]
    customers = _all(session, Customer, owners)
    partners = {
        *(thing.partner_id for thing in (*leads, *deals)),
        *(customer.source_partner_id for customer in customers),
    }
    return Evidence(leads, deals, customers, _all(session, Partner, partners))


def _all(session: Session, model: Any, keys: Iterable[int | None]) -> Sequence[Any]:
    wanted = sorted({key for key in keys if key is not None})
    return session.scalars(select(model).where(model.id.in_(wanted)).order_by(model.id)).all()
