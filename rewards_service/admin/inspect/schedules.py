"""What runs by the clock, with when it ran last and runs next, as far as that is stored."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin.places import link_to
from rewards_service.integrations.models import EventPoll, Integration
from rewards_service.payouts.models import PayoutRun, PayoutSchedule
from rewards_service.reconciliation.models import Reconciliation

MOST = 50


class Scheduled(NamedTuple):
    """A line: what, about what (a link), when in words, last and next time; `problem` if any."""

    what: str
    about: Any
    rule: str
    last: datetime | date | None
    due: datetime | None
    problem: str = ""


def read_schedules(session: Session) -> list[Scheduled]:
    """Readings of event logs, comparisons by night, payout schedules."""
    return [*_polls(session), *_comparisons(session), *_payouts(session)]


def _polls(session: Session) -> list[Scheduled]:
    query = (
        select(Integration, EventPoll)
        .outerjoin(EventPoll, EventPoll.integration_id == Integration.id)
        .where(Integration.deleted_at.is_(None), Integration.api_key_encrypted.is_not(None))
        .order_by(Integration.id)
        .limit(MOST)
    )
    rows: Any = session.execute(query)
    return [
        Scheduled(
            "Read the event log", link_to("integration", site.id, site.name), "every 5 minutes",
            poll.succeeded_at if poll else None, poll.next_poll_at if poll else None,
            (poll.problem_detail if poll else None) or "",
        )
        for site, poll in rows
    ]  # fmt: skip


def _comparisons(session: Session) -> list[Scheduled]:
    last = (
        select(Reconciliation.integration_id, func.max(Reconciliation.asked_at).label("at"))
        .group_by(Reconciliation.integration_id)
        .subquery()
    )
    query = (
        select(Integration.id, Integration.name, last.c.at)
        .outerjoin(last, last.c.integration_id == Integration.id)
        .where(Integration.deleted_at.is_(None), Integration.api_key_encrypted.is_not(None))
        .order_by(Integration.id)
        .limit(MOST)
    )
    return [
        Scheduled(
            "Compare with Chargebee", link_to("integration", key, name), "every night", at, None
        )
        for key, name, at in session.execute(query)
    ]  # fmt: skip


def _payouts(session: Session) -> list[Scheduled]:
    runs = (
        select(PayoutRun.schedule_id, func.max(PayoutRun.due_on).label("last"))
        .group_by(PayoutRun.schedule_id)
        .subquery()
    )
    query = (
        select(PayoutSchedule, runs.c.last)
        .outerjoin(runs, runs.c.schedule_id == PayoutSchedule.id)
        .where(PayoutSchedule.enabled)
        .order_by(PayoutSchedule.id)
        .limit(MOST)
    )
    return [
        Scheduled(
            "Make payout drafts", link_to("program", one.program_id) if one.program_id
            else "all partners", f"{one.kind.replace('_', ' ')}, day {one.day}", last, None,
        )
        for one, last in session.execute(query)
    ]  # fmt: skip
