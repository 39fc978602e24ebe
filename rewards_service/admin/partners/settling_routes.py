"""What is settled about a partner: who it is, whether it earns, in what, and where it is paid."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import InputRequired

from rewards_service.admin.doing import attempt, carry_out
from rewards_service.admin.pages import actor, show
from rewards_service.admin.partners import partner_forms, partner_page
from rewards_service.admin.partners.partners_routes import about, address_of, blueprint, of_path
from rewards_service.kit import ids
from rewards_service.kit.clock import instant, start_of_day, utc_now
from rewards_service.kit.errors import NotFound
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.partners import queries, service
from rewards_service.partners.models import STATUSES, Enrolment, Partner
from rewards_service.partners.payout_details import change_details, masked
from rewards_service.partners.schemas import EnrolmentSchema, PartnerSchema, PayoutDetailsSchema

_BOTH_WAYS = {"active", "paused"}  # who was accepted or declined cannot be an applicant again
_SAID = {
    "active": "Active: payments from now on earn again.",
    "paused": "Paused: from now on payments earn as the programmes say.",
    "declined": "Declined: payments earn nothing.",
    "applicant": "An applicant again: payments earn nothing until accepted.",
}  # fmt: skip


class EndForm(FlaskForm):  # type: ignore[misc]
    """On which day a time in a programme is over."""

    until_on = DateField("First day that does not count", [InputRequired("Say which day.")])


@blueprint.page("/partners/<partner_id>/edit", permission="partners:write")
def edit_partner(partner_id: str) -> ResponseReturnValue:
    partner = of_path(partner_id)
    form = partner_forms.PartnerForm(formdata=None, data=partner_forms.shown(partner))
    return show("partners/edit.html", form=form, **about(partner, ""))


@blueprint.page("/partners/<partner_id>/edit", permission="partners:write", methods=("POST",))
def change_partner(partner_id: str) -> ResponseReturnValue:
    form, key = partner_forms.PartnerForm(), path_key("par", partner_id)

    def change() -> Partner:
        wanted = PartnerSchema(partial=True).load(partner_forms.asked(form))
        return service.change_partner(current_session(), key, wanted, actor())

    if carry_out(form, change) is None:
        return show("partners/edit.html", 422, form=form, **about(of_path(partner_id), ""))
    flash("Saved.", "success")
    return redirect(address_of(key), 303)


@blueprint.page("/partners/<partner_id>/status", permission="partners:write", methods=("POST",))
def change_status(partner_id: str) -> ResponseReturnValue:
    """Pause a partner, or let it earn again: for payments from now on."""
    key, status = path_key("par", partner_id), request.form.get("status", "")
    if status not in STATUSES:
        flash("There is no such status.", "danger")
    else:
        before = service.get_partner(current_session(), key).status
        change = {"status": status}
        attempt(
            lambda: service.change_partner(current_session(), key, change, actor()), _SAID[status],
            undo=(request.path, {"status": before}) if {before, status} == _BOTH_WAYS else None,
        )  # fmt: skip
    return redirect(address_of(key), 303)


@blueprint.page("/partners/<partner_id>/programs", permission="partners:read")
def show_enrolments(partner_id: str) -> ResponseReturnValue:
    """Its times in programmes."""
    form = partner_forms.EnrolForm(formdata=None, data={"from_on": utc_now().date()})
    return _enrolments(of_path(partner_id), form)


@blueprint.page("/partners/<partner_id>/programs", permission="partners:write", methods=("POST",))
def enrol(partner_id: str) -> ResponseReturnValue:
    """Have a partner in a programme; one that it is in at that day is over by then."""
    form, key = partner_forms.EnrolForm(), path_key("par", partner_id)
    session = current_session()
    form.program.choices = partner_page.places(session)

    def add() -> Partner:
        given = partner_forms.place_of(form.program.data)
        for name in ("from_on", "until_on"):
            if form[name].data is not None:
                given[name] = form[name].data.isoformat()
        wanted = EnrolmentSchema().load(given)
        periods = partner_page.periods_of(_rows(key))
        zone = queries.zones_of_programs(session, [wanted["program_id"]]).get(wanted["program_id"])
        begin = instant(wanted.get("from_on"), zone or "UTC")
        periods = partner_page.before(periods, wanted["program_id"], begin)
        return _change(key, [*periods, wanted])

    if carry_out(form, add) is None:
        return _enrolments(of_path(partner_id), form, 422)
    flash("Enrolled.", "success")
    return redirect(address_of(key, "show_enrolments"), 303)


@blueprint.page(
    "/partners/<partner_id>/programs/<enrolment_id>", permission="partners:write",
    methods=("POST",),
)  # fmt: skip
def change_enrolment(partner_id: str, enrolment_id: str) -> ResponseReturnValue:
    """End a time in a programme on a day, or take out one that was entered by mistake."""
    key, row_id = path_key("par", partner_id), path_key("enr", enrolment_id)
    rows = _rows(key)
    row = next((one for one in rows if one.id == row_id), None)
    if row is None:
        raise NotFound("The partner has no such time in a programme.")
    others = partner_page.periods_of([one for one in rows if one.id != row_id])
    if request.form.get("step") == "remove":
        attempt(lambda: _change(key, others), "Taken out.")
        return redirect(address_of(key, "show_enrolments"), 303)
    form, (period,) = EndForm(), partner_page.periods_of([row])

    def end() -> Partner:
        zone = queries.zones_of_programs(current_session(), [period["program_id"]])
        day = start_of_day(form.until_on.data, zone[period["program_id"]])
        return _change(key, [*others, {**period, "until_at": day}])

    if carry_out(form, end) is None:
        for error in [*form.until_on.errors, *form.form_errors]:
            flash(str(error), "danger")
    else:
        flash("Set.", "success")
    return redirect(address_of(key, "show_enrolments"), 303)


@blueprint.page("/partners/<partner_id>/payout-details", permission="partners:read")
def show_payout_details(partner_id: str) -> ResponseReturnValue:
    """Where it is paid, masked."""
    return _details(of_path(partner_id), partner_forms.PayoutDetailsForm(formdata=None))


@blueprint.page(
    "/partners/<partner_id>/payout-details", permission="partners:write", methods=("POST",)
)  # fmt: skip
def change_payout_details(partner_id: str) -> ResponseReturnValue:
    """Change what is given; what was there is never shown in full."""
    form, key = partner_forms.PayoutDetailsForm(), path_key("par", partner_id)
    session = current_session()

    def change() -> bool:
        wanted: Mapping[str, Any] = PayoutDetailsSchema().load(form.changes())
        partner = service.get_partner(session, key, lock=True)
        change_details(session, current_settings(), partner, wanted, actor())
        return True

    if carry_out(form, change) is None:
        return _details(of_path(partner_id), form, 422)
    flash("Saved. They are shown masked from now on.", "success")
    return redirect(address_of(key, "show_payout_details"), 303)


def _rows(key: int) -> list[Enrolment]:
    """Its times in programmes, which nobody else changes before we commit."""
    session = current_session()
    service.get_partner(session, key, lock=True)
    return queries.enrolments_of_partners(session, [key])[key]


def _change(key: int, periods: list[dict[str, Any]]) -> Partner:
    wanted = {"enrolments": periods}
    return service.change_partner(current_session(), key, wanted, actor())


def _enrolments(
    partner: Partner, form: partner_forms.EnrolForm, status: int = 200
) -> ResponseReturnValue:
    session = current_session()
    form.program.choices = partner_page.places(session)
    return show(
        "partners/enrolments.html", status, form=form, today=utc_now().date(),
        times=partner_page.times_of(session, [partner.id])[partner.id],
        enrolment_id=lambda row: ids.encode("enr", row.id), **about(partner, "show_enrolments"),
    )  # fmt: skip


def _details(
    partner: Partner, form: partner_forms.PayoutDetailsForm, status: int = 200
) -> ResponseReturnValue:
    return show(
        "partners/payout_details.html", status, form=form, names=partner_forms.DETAILS,
        **partner_forms.known(masked(partner, current_settings())),
        **about(partner, "show_payout_details"),
    )  # fmt: skip
