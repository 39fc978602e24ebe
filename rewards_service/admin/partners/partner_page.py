"""What the pages of a partner show: its money, its times in programmes, what it brought."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from rewards_service.admin.partners import reading
from rewards_service.admin.partners.form_fields import options
from rewards_service.admin.partners.partner_forms import choice
from rewards_service.crm import listing as crm
from rewards_service.kit.clock import utc_now
from rewards_service.kit.pages import Paging
from rewards_service.partners import queries
from rewards_service.partners.models import Enrolment, Partner
from rewards_service.programs.models import Program, ProgramLevel
from rewards_service.reports import grouping, liability
from rewards_service.rewards import listing as rewards

FEW = 5
_CURRENCIES = 200


class Time(NamedTuple):
    """A partner's time in a programme; `open` while it counts for payments of now."""

    row: Enrolment
    program: str
    level: str | None
    open: bool

    @property
    def words(self) -> str:
        """`Reseller` or `Reseller, Gold`."""
        return f"{self.program}, {self.level}" if self.level else self.program


def times_of(session: Session, partner_ids: Sequence[int]) -> dict[int, list[Time]]:
    """Partner -> its times in programmes; those that count now first."""
    rows = queries.enrolments_of_partners(session, partner_ids)
    programs, levels = _names(session, [row for some in rows.values() for row in some])
    now = utc_now()
    found = defaultdict(list)
    for partner_id, some in rows.items():
        for row in some:
            name = programs.get(row.program_id, "")
            level = None if row.level_id is None else levels.get(row.level_id)
            found[partner_id].append(Time(row, name, level, queries.is_open(row, now)))
        found[partner_id].sort(key=lambda one: not one.open)
    return found


def _names(session: Session, rows: Sequence[Enrolment]) -> tuple[dict[int, str], dict[int, str]]:
    """The names of their programmes, and of their levels."""
    found = []
    for model, keys in (
        (Program, {row.program_id for row in rows}), (ProgramLevel, {row.level_id for row in rows}),
    ):  # fmt: skip
        wanted = sorted(key for key in keys if key is not None)
        query: Any = select(model.id, model.name).where(model.id.in_(wanted))
        found.append({key: name for key, name in session.execute(query)})  # noqa: C416
    return found[0], found[1]


def balances(session: Session, partner_id: int) -> list[dict[str, Any]]:
    """By currency, minor units: what is owed by where it stands, and what was ever paid.

    From the month roll-up: as cheap for a partner of a million rewards as for one of three.
    """
    wanted = {"partner_id": partner_id}
    owed, _ = liability.report(session, wanted, None, _CURRENCIES, None)
    ever = grouping.page(session, {**wanted, "group_by": ["currency"]}, None, _CURRENCIES, None)
    rows = {row["currency"]: {"currency": row["currency"], "paid_minor": -row["paid_minor"],
                              "earned_minor": row["amount_minor"]}
            for row in ever.rows}  # fmt: skip
    for row in owed["data"]:
        rows.setdefault(row["currency"], {"paid_minor": 0, "earned_minor": 0}).update(row)
    nothing = dict.fromkeys(liability.AMOUNTS, 0)
    return [{**nothing, **rows[currency]} for currency in sorted(rows)]


def months(session: Session, partner_id: int, first: date) -> list[dict[str, Any]]:
    """The months since a first day, the newest first, a row for each currency."""
    wanted = {"partner_id": partner_id, "group_by": ["month", "currency"], "month_from": first}
    return list(reversed(grouping.page(session, wanted, None, _CURRENCIES, None).rows))


def latest_rewards(session: Session, partner_id: int) -> list[dict[str, Any]]:
    """The newest few, with their amounts."""
    page = rewards.list_rewards(session, Paging(FEW, descending=True), {"partner_id": partner_id})
    some = [row[0] for row in page.rows]
    entries = rewards.entries_of(session, [one.id for one in some])
    return [
        {"reward": one, "amount_minor": sum(entry.amount_minor for entry in entries[one.id])}
        for one in some
    ]  # fmt: skip


def brought(session: Session, partner_id: int) -> dict[str, tuple[list[Any], bool]]:
    """The newest customers, leads and deals of a partner, and whether there are more of each."""
    paging, wanted = Paging(FEW, descending=True), {"partner_id": partner_id}
    pages = {
        "customers": crm.list_customers(session, paging, {}, own=partner_id),
        "leads": crm.list_leads(session, paging, wanted),
        "deals": crm.list_deals(session, paging, wanted),
    }
    return {name: ([row[0] for row in page.rows], page.last is not None)
            for name, page in pages.items()}  # fmt: skip


def places(session: Session) -> list[SelectChoice]:
    """What a partner can be enrolled in: each programme, and each of its levels."""
    found = []
    for program in reading.all_programs(session):
        found.append((choice(program.id, None), program.name))
        found += [
            (choice(program.id, level.id), f"{program.name}, {level.name}")
            for level in reading.levels_of(session, program.id)
        ]
    return options(found)


def periods_of(rows: Sequence[Enrolment]) -> list[dict[str, Any]]:
    """Enrolments as `change_partner` takes them."""
    return [
        {"program_id": row.program_id, "level_id": row.level_id, "from_at": row.from_at,
         "until_at": row.until_at}
        for row in rows
    ]  # fmt: skip


def ended(period: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The same time, over by then."""
    until = period["until_at"]
    return {**period, "until_at": at if until is None else min(at, until)}


def before(periods: Sequence[dict[str, Any]], program_id: int, at: datetime | None) -> Any:
    """The times with those in a programme that run at a moment ended there: another takes over."""
    if at is None:
        return list(periods)
    return [
        ended(one, at)
        if one["program_id"] == program_id and _begun(one, at)
        and (one["until_at"] is None or at < one["until_at"]) else one
        for one in periods
    ]  # fmt: skip


def _begun(period: dict[str, Any], at: datetime) -> bool:
    return period["from_at"] is None or period["from_at"] < at


def statuses(session: Session, partner: Partner) -> list[tuple[datetime | None, str]]:
    """Since when it had which status, the newest first."""
    return list(reversed(queries.status_histories(session, [partner.id])[partner.id]))
