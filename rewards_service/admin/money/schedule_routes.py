"""/payouts/schedules: when payouts are made by themselves."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from rewards_service.admin import doing
from rewards_service.admin.activity import activity_of
from rewards_service.admin.amounts import read_amounts
from rewards_service.admin.layout import money
from rewards_service.admin.money.blueprints import payouts as blueprint
from rewards_service.admin.money.forms import ScheduleForm, objection
from rewards_service.admin.pages import actor, show
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.money import format_minor
from rewards_service.kit.pages import MAX_LIMIT, Paging
from rewards_service.kit.web import current_session, path_key
from rewards_service.payouts import schedules
from rewards_service.payouts.models import PayoutSchedule
from rewards_service.payouts.periods import QUARTERLY, THRESHOLD, next_due
from rewards_service.payouts.schedule_schemas import PayoutScheduleSchema
from rewards_service.programs.models import Program


@blueprint.page("/schedules", permission="payouts:read")
def list_schedules() -> ResponseReturnValue:
    """All schedules, and where one is made."""
    return _list(_form())


@blueprint.page("/schedules", permission="payouts:write", methods=("POST",))
def create_schedule() -> ResponseReturnValue:
    """Make a schedule; days before today do not count."""
    form, session = _form(), current_session()
    made = doing.carry_out(
        form, lambda: schedules.create_schedule(session, _read(form), actor())
    )  # fmt: skip
    if made is None:
        return _list(form, 422)
    flash("The schedule is made.", "success")
    return redirect(url_for("payouts_pages.list_schedules"), 303)


@blueprint.page("/schedules/<schedule_id>", permission="payouts:read")
def show_schedule(schedule_id: str) -> ResponseReturnValue:
    """One schedule."""
    schedule = schedules.get_schedule(current_session(), path_key("sch", schedule_id))
    return _one(schedule, _form(schedule))


@blueprint.page("/schedules/<schedule_id>", permission="payouts:write", methods=("POST",))
def change_schedule(schedule_id: str) -> ResponseReturnValue:
    """Change it; another day, or being switched on, counts from today on."""
    form, session, key = _form(), current_session(), path_key("sch", schedule_id)
    changed = doing.carry_out(
        form, lambda: schedules.change_schedule(session, key, _read(form), actor())
    )
    if changed is None:
        return _one(schedules.get_schedule(session, key), form, 422)
    flash("The schedule is changed.", "success")
    return redirect(url_for("payouts_pages.list_schedules"), 303)


@blueprint.page("/schedules/<schedule_id>/delete", permission="payouts:write", methods=("POST",))
def delete_schedule(schedule_id: str) -> ResponseReturnValue:
    """End it; its payouts stay."""
    session, key = current_session(), path_key("sch", schedule_id)
    doing.attempt(
        lambda: schedules.delete_schedule(session, key, actor()),
        "The schedule is deleted. Payouts that it made stay.",
    )
    return redirect(url_for("payouts_pages.list_schedules"), 303)


def _read(form: ScheduleForm) -> dict[str, Any]:
    """What the API would make of the form. Raises ValidationError at its fields."""
    fields = {
        "kind": form.kind.data, "day": form.day.data, "program_id": form.program_id.data,
        "thresholds": _thresholds(form.thresholds.data or ""),
    }  # fmt: skip
    body = doing.read_as(PayoutScheduleSchema(), fields)
    return {**body, "thresholds": body["thresholds"] or {}, "enabled": bool(form.enabled.data)}


def _thresholds(text: str) -> dict[str, int] | None:
    try:
        return read_amounts(text) or None
    except ValueError as error:
        raise objection("thresholds", str(error)) from error


def _form(schedule: PayoutSchedule | None = None) -> ScheduleForm:
    """The form, with what was entered, or else what a schedule has."""
    values = {} if schedule is None or request.method == "POST" else _entered(schedule)
    form = ScheduleForm(data=values)
    programs = current_session().execute(
        select(Program.id, Program.name).order_by(Program.id).limit(MAX_LIMIT)
    )
    form.program_id.choices = [
        SelectChoice("", "All partners"),
        *(SelectChoice(ids.encode("prg", row.id), f"Partners of {row.name}") for row in programs),
    ]
    return form


def _entered(schedule: PayoutSchedule) -> dict[str, Any]:
    least = sorted(schedule.thresholds.items())
    program = schedule.program_id
    return {
        "kind": schedule.kind, "day": schedule.day, "enabled": schedule.enabled,
        "thresholds": "\n".join(format_minor(amount, currency) for currency, amount in least),
        "program_id": "" if program is None else ids.encode("prg", program),
    }  # fmt: skip


def _list(form: ScheduleForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    rows = [row[0] for row in schedules.list_schedules(session, Paging(MAX_LIMIT)).rows]
    lines = _told(session, rows)
    return show("payouts/schedules.html", status, lines=lines, form=form)


def _one(schedule: PayoutSchedule, form: ScheduleForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    (line,) = _told(session, [schedule])
    return show(
        "payouts/schedule.html", status, line=line, form=form,
        activity=activity_of(session, "payout_schedule", schedule.id),
    )  # fmt: skip


def _told(session: Session, rows: list[PayoutSchedule]) -> list[Mapping[str, Any]]:
    """Schedules in words."""
    done = schedules.last_runs(session, [row.id for row in rows])
    keys = {row.program_id for row in rows} - {None}
    query = select(Program.id, Program.name).where(Program.id.in_(keys))
    programs = {row.id: row.name for row in session.execute(query)}
    today = utc_now().date()
    return [
        {
            "schedule": row, "id": ids.encode("sch", row.id), "when": _when(row),
            "whom": f"partners of {programs.get(row.program_id, '?')}"
            if row.program_id else "all partners",
            "least": [money(amount, name) for name, amount in sorted(row.thresholds.items())],
            "last_on": done.get(row.id),
            "next_on": next_due(row.kind, row.day, today) if row.enabled else None,
        }
        for row in rows
    ]  # fmt: skip


def _when(schedule: PayoutSchedule) -> str:
    if schedule.kind == THRESHOLD:
        return "Every day, for whoever has enough"
    period = "quarter" if schedule.kind == QUARTERLY else "month"
    return f"Every {period}, on day {schedule.day}"
