"""Partners and their status at a point in time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, chunks
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.finding import meant_by
from rewards_service.partners.models import Enrolment, Partner, PartnerStatus

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


def list_partners(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of partners. wanted: `status`, `email_key`, `external_id`, `program_id`, if given.

    `program_id` finds those who are in the programme now, `search` those whom `finding.meant_by`
    this text. own: this partner alone.
    """
    query = select(Partner)
    if own is not None:
        query = query.where(Partner.id == own)
    for name in ("status", "email_key", "external_id"):
        if name in wanted:
            query = query.where(getattr(Partner, name) == wanted[name])
    if "search" in wanted:
        query = query.where(meant_by(wanted["search"]))
    if "program_id" in wanted:
        enrolled = select(Enrolment.partner_id).where(
            Enrolment.program_id == wanted["program_id"], _holds(utc_now())
        )
        query = query.where(Partner.id.in_(enrolled))
    return fetch(session, query, Partner.id, paging)


def enrolments_of_partners(
    session: Session, partner_ids: Sequence[int]
) -> dict[int, list[Enrolment]]:
    """Partner -> its times in programmes, by programme, the earliest first."""
    found: dict[int, list[Enrolment]] = defaultdict(list)
    query = (
        select(Enrolment)
        .where(Enrolment.partner_id.in_(partner_ids))
        .order_by(Enrolment.partner_id, Enrolment.program_id, Enrolment.from_at.asc().nulls_first())
    )
    for row in session.scalars(query):
        found[row.partner_id].append(row)
    return found


def is_open(enrolment: Enrolment, at: datetime) -> bool:
    """Whether a partner is in the programme at a time by this enrolment."""
    begun = enrolment.from_at is None or enrolment.from_at <= at
    return begun and (enrolment.until_at is None or at < enrolment.until_at)


def _holds(at: datetime) -> ColumnElement[bool]:
    """`is_open` as a condition."""
    return and_(
        or_(Enrolment.from_at.is_(None), Enrolment.from_at <= at),
        or_(Enrolment.until_at.is_(None), Enrolment.until_at > at),
    )


# Programmes and their levels live above, hence by name.


def unknown_programs(session: Session, program_ids: Collection[int]) -> set[int]:
    """Those of `program_ids` that are no programme."""
    return set(program_ids) - zones_of_programs(session, program_ids).keys()


def zones_of_programs(session: Session, program_ids: Collection[int]) -> dict[int, str]:
    """Programme -> the name of its time zone, for those that exist."""
    programs = Base.metadata.tables["programs"].c
    query = select(programs.id, programs.timezone).where(programs.id.in_(sorted(program_ids)))
    return {row.id: row.timezone for row in session.execute(query)}


def programs_of_levels(session: Session, level_ids: Collection[int]) -> dict[int, int]:
    """Level -> its programme, for those that exist; they cannot be removed before we commit."""
    levels = Base.metadata.tables["program_levels"].c
    query = select(levels.id, levels.program_id).where(levels.id.in_(sorted(level_ids)))
    held = query.with_for_update(read=True, key_share=True)
    return {row.id: row.program_id for row in session.execute(held)}


def unknown_partners(session: Session, partner_ids: Collection[int]) -> set[int]:
    """Those of `partner_ids` that are no partner."""
    known = session.scalars(select(Partner.id).where(Partner.id.in_(sorted(partner_ids))))
    return set(partner_ids) - set(known)
