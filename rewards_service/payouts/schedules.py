"""Schedules that make drafts by themselves: once for each day they are due, late if need be."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rewards_service.audit.service import MACHINE, record
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import hold_stage, is_postgresql
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.kit.refusals import invalid_member
from rewards_service.partners.models import Enrolment
from rewards_service.payouts import making, queries
from rewards_service.payouts.models import PayoutRun, PayoutSchedule
from rewards_service.payouts.periods import THRESHOLD, last_due
from rewards_service.payouts.statement import threshold_of
from rewards_service.programs.models import Program
from rewards_service.rewards import review

MEMBERS = ("kind", "day", "program_id", "thresholds", "enabled")


def create_schedule(session: Session, wanted: Mapping[str, Any], actor: str) -> PayoutSchedule:
    """A schedule. wanted: MEMBERS. Days before today do not count.

    Raises Unprocessable for an unknown programme, or a threshold schedule without thresholds.
    """
    terms = {name: wanted[name] for name in MEMBERS}
    _check(session, terms)
    schedule = PayoutSchedule(**terms)
    schedule.from_on = _today(session, schedule, utc_now())
    session.add(schedule)
    session.flush()
    _audit(session, "created", schedule, None, actor)
    return schedule


def change_schedule(
    session: Session, schedule_id: int, wanted: Mapping[str, Any], actor: str
) -> PayoutSchedule:
    """Change what is given; another day, or being switched on, counts from today on.

    Raises NotFound, Unprocessable.
    """
    schedule = get_schedule(session, schedule_id, lock=True)
    before = _terms(schedule)
    after = {**before, **wanted}
    _check(session, after)
    for name in wanted:
        setattr(schedule, name, wanted[name])
    if (after["enabled"] and not before["enabled"]) or any(
        after[name] != before[name] for name in ("kind", "day", "program_id")
    ):
        schedule.from_on = _today(session, schedule, utc_now())
    session.flush()
    _audit(session, "changed", schedule, before, actor)
    return schedule


def delete_schedule(session: Session, schedule_id: int, actor: str) -> None:
    """Its payouts stay. Raises NotFound."""
    schedule = get_schedule(session, schedule_id, lock=True)
    _audit(session, "deleted", schedule, _terms(schedule), actor)
    session.execute(delete(PayoutRun).where(PayoutRun.schedule_id == schedule_id))
    session.delete(schedule)
    session.flush()


def get_schedule(session: Session, schedule_id: int, lock: bool = False) -> PayoutSchedule:
    """Raises NotFound."""
    found = session.get(
        PayoutSchedule, schedule_id, with_for_update=lock and is_postgresql(session)
    )
    if found is None:
        raise NotFound("There is no such payout schedule.")
    return found


def list_schedules(session: Session, paging: Paging) -> Page:
    return fetch(session, select(PayoutSchedule), PayoutSchedule.id, paging)


def last_runs(session: Session, schedule_ids: Sequence[int]) -> dict[int, date]:
    """Schedule -> the newest day for which it made its drafts."""
    query = (
        select(PayoutRun.schedule_id, func.max(PayoutRun.due_on))
        .where(PayoutRun.schedule_id.in_(schedule_ids))
        .group_by(PayoutRun.schedule_id)
    )
    return {key: due_on for key, due_on in session.execute(query) if due_on is not None}


def due_schedules(session: Session, now: datetime | None = None) -> list[tuple[int, date]]:
    """(schedule, day) of all that are to run now. Reads only."""
    query = (
        select(PayoutSchedule, Program.timezone)
        .outerjoin(Program, Program.id == PayoutSchedule.program_id)
        .where(PayoutSchedule.enabled)
        .order_by(PayoutSchedule.id)
    )
    rows = session.execute(query).all()
    if not rows:
        return []
    done = last_runs(session, [schedule.id for schedule, _ in rows])
    due = []
    for schedule, timezone in rows:
        today = _local_day(now or utc_now(), timezone)
        day = last_due(schedule.kind, schedule.day, today)
        if day >= schedule.from_on and day > done.get(schedule.id, date.min):
            due.append((schedule.id, day))
    return due


def has_due(session: Session) -> bool:
    """Whether any schedule is to run now."""
    return bool(due_schedules(session))


def run(session: Session, schedule_id: int, due_on: date) -> int | None:
    """Make the drafts of a schedule for a day, once. Returns how many; None when it is done.

    Days missed meanwhile are not made up one by one: the cut-off of the newest covers them.
    """
    for stage in review.STAGES:
        hold_stage(session, stage)
    schedule = get_schedule(session, schedule_id, lock=True)
    done = last_runs(session, [schedule_id]).get(schedule_id, date.min)
    if due_on <= done or not schedule.enabled:
        return None
    made = 0
    for currency in _currencies(session, schedule):
        wanted = making.Wanted(
            currency=currency,
            cut_off=due_on,
            partner_ids=_partner_ids(session, schedule),
            threshold_minor=threshold_of(schedule.thresholds, currency),
            schedule_id=schedule_id,
        )
        made += len(making.create(session, wanted, MACHINE).payouts)
    session.add(PayoutRun(schedule_id=schedule_id, due_on=due_on, payouts=made))
    session.flush()
    return made


def _currencies(session: Session, schedule: PayoutSchedule) -> list[str]:
    """A threshold schedule pays in those currencies only for which it has a threshold."""
    found = queries.currencies_due(session)
    if schedule.kind == THRESHOLD:
        return [currency for currency in found if currency in schedule.thresholds]
    return found


def _partner_ids(session: Session, schedule: PayoutSchedule) -> list[int] | None:
    if schedule.program_id is None:
        return None
    query = select(Enrolment.partner_id).where(Enrolment.program_id == schedule.program_id)
    return sorted(set(session.scalars(query)))


def _check(session: Session, terms: Mapping[str, Any]) -> None:
    if terms["kind"] == THRESHOLD and not terms["thresholds"]:
        raise invalid_member("thresholds", "A threshold schedule needs one for each currency.")
    program_id = terms["program_id"]
    if program_id is not None and session.get(Program, program_id) is None:
        raise invalid_member("program_id", "There is no such programme.")


def _today(session: Session, schedule: PayoutSchedule, now: datetime) -> date:
    program = schedule.program_id and session.get(Program, schedule.program_id)
    return _local_day(now, program.timezone if program else None)


def _local_day(now: datetime, timezone: str | None) -> date:
    return now.astimezone(ZoneInfo(timezone or "UTC")).date()


def _terms(schedule: PayoutSchedule) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in MEMBERS}


def _audit(session: Session, what: str, schedule: PayoutSchedule, before: Any, actor: str) -> None:
    detail = {"before": before, "after": None if what == "deleted" else _terms(schedule)}
    record(session, f"payout_schedule.{what}", ("payout_schedule", schedule.id), detail, actor)
