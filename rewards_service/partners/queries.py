"""Partners and their status at a point in time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit.db import Base, chunks
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.models import Partner, PartnerProgram, PartnerStatus

History = list[tuple[datetime | None, str]]


def status_histories(session: Session, partner_ids: Collection[int]) -> dict[int, History]:
    """Partner -> [(from when, status)], oldest first; the first begins with no time."""
    found: dict[int, History] = defaultdict(list)
    for some in chunks(sorted(partner_ids)):
        query = (
            select(PartnerStatus.partner_id, PartnerStatus.from_at, PartnerStatus.status)
            .where(PartnerStatus.partner_id.in_(some))
            .order_by(PartnerStatus.id)
        )
        for partner_id, from_at, status in session.execute(query):
            found[partner_id].append((from_at, status))
    return found


def status_at(history: History, at: datetime) -> str | None:
    """The status in force at a time; None for a partner without any."""
    status = None
    for from_at, name in history:
        if from_at is None or from_at <= at:
            status = name
    return status


def list_partners(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """A page of partners. wanted: `status`, `email_key`, `external_id`, `program_id`, if given."""
    query = select(Partner)
    for name in ("status", "email_key", "external_id"):
        if name in wanted:
            query = query.where(getattr(Partner, name) == wanted[name])
    if "program_id" in wanted:
        enrolled = select(PartnerProgram.partner_id).where(
            PartnerProgram.program_id == wanted["program_id"]
        )
        query = query.where(Partner.id.in_(enrolled))
    return fetch(session, query, Partner.id, paging)


def programs_of_partners(session: Session, partner_ids: Sequence[int]) -> dict[int, list[int]]:
    """Partner -> its programmes, in their order of creation."""
    found: dict[int, list[int]] = defaultdict(list)
    query = (
        select(PartnerProgram.partner_id, PartnerProgram.program_id)
        .where(PartnerProgram.partner_id.in_(partner_ids))
        .order_by(PartnerProgram.partner_id, PartnerProgram.program_id)
    )
    for partner_id, program_id in session.execute(query):
        found[partner_id].append(program_id)
    return found


def unknown_programs(session: Session, program_ids: Collection[int]) -> set[int]:
    """Those of `program_ids` that are no programme. Programmes live above, hence by name."""
    known = Base.metadata.tables["programs"].c.id
    found = set(session.scalars(select(known).where(known.in_(sorted(program_ids)))))
    return set(program_ids) - found


def unknown_partners(session: Session, partner_ids: Collection[int]) -> set[int]:
    """Those of `partner_ids` that are no partner."""
    known = session.scalars(select(Partner.id).where(Partner.id.in_(sorted(partner_ids))))
    return set(partner_ids) - set(known)
