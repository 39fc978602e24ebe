"""The webhook of a connected site: its address and password, and how it stands in Chargebee."""

import re
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms.validators import InputRequired, NumberRange

from rewards_service.admin.connect import testing
from rewards_service.admin.connect.frame import (
    ONE,
    READ,
    WRITE,
    back_to,
    blueprint,
    key_of,
    show_tab,
    unless_gone,
    upkeep,
)
from rewards_service.admin.forms import WholeField
from rewards_service.audit.queries import list_entries
from rewards_service.connections.checks import Check, Report
from rewards_service.integrations.models import Integration
from rewards_service.integrations.schemas import LONGEST_GRACE_HOURS
from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.pages import Paging
from rewards_service.kit.web import current_session

TAB = "show_webhook"
# What the command line and the API call it; here it is a button.
_BY_COMMAND = re.compile(r"Run: rewards connect repair --integration \S+ \(or POST \S+\)\.?")

_ELSEWHERE = {
    "give it to the integration as api_key": "set it under API key",
    "Correct the integration's site": "Correct the site under Settings",
    "requests_per_minute of the integration": "the requests per minute under Settings",
}


class RotationForm(FlaskForm):  # type: ignore[misc]
    """How long two passwords are good."""

    grace_hours = WholeField(
        "The old password stays good for (hours)",
        [InputRequired("How many hours?"),
         NumberRange(0, LONGEST_GRACE_HOURS, f"From 0 to {LONGEST_GRACE_HOURS} hours.")],
        default=24,
        description="Time to put the new one into Chargebee. With 0 the old one ends at once.",
        render_kw={"min": 0, "max": LONGEST_GRACE_HOURS},
    )  # fmt: skip


@blueprint.page(f"{ONE}/webhook", permission=READ)
def show_webhook(integration_id: str) -> ResponseReturnValue:
    """Where Chargebee posts to, and with which credentials."""
    return _page(integration_id, RotationForm(formdata=None))


@blueprint.page(f"{ONE}/webhook/check", permission=READ)
def check_webhook(integration_id: str) -> ResponseReturnValue:
    """The same, with what Chargebee says of it now."""
    try:
        report = upkeep().examine(key_of(integration_id))
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    return _page(integration_id, RotationForm(formdata=None), report=report)


@blueprint.page(f"{ONE}/webhook/repair", permission=WRITE, methods=("POST",))
def repair_webhook(integration_id: str) -> ResponseReturnValue:
    """Make the webhook in Chargebee, or put right what is wrong with it."""
    try:
        report = upkeep().repair(key_of(integration_id))[0]
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    said = ("Chargebee has the webhook as it should be.", "success")
    flash(*(said if report.ok else ("The webhook is there; see what is left to do.", "warning")))
    return _page(integration_id, RotationForm(formdata=None), report=report)


@blueprint.page(f"{ONE}/webhook/remove", permission=WRITE, methods=("POST",))
def remove_webhook(integration_id: str) -> ResponseReturnValue:
    """Delete the webhook in Chargebee: no events come any more. The connection stays."""
    try:
        removed = upkeep().remove(key_of(integration_id))
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    flash(
        "The webhook is deleted in Chargebee." if removed else "Chargebee had no webhook of ours.",
        "success",
    )
    return back_to(TAB, integration_id)


@blueprint.page(f"{ONE}/webhook/rotate", permission=WRITE, methods=("POST",))
def rotate_password(integration_id: str) -> ResponseReturnValue:
    """Make another password, shown this once; the old one stays good for a while."""
    form, key = RotationForm(), key_of(integration_id)
    get_integration(current_session(), key)
    if not form.validate_on_submit():
        return _page(integration_id, form, status=422)
    session, keeper = current_session(), upkeep()
    try:
        credentials = keeper.rotate(session, key, form.grace_hours.data)
        session.commit()
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    return _page(integration_id, RotationForm(formdata=None), status=201, credentials=credentials)


@blueprint.page(f"{ONE}/test", permission=WRITE, methods=("POST",))
def send_test(integration_id: str) -> ResponseReturnValue:
    """Send a test event through the endpoint; the page looks after it by itself."""
    try:
        event = testing.send(key_of(integration_id))
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    return back_to(TAB, integration_id, event=event, _anchor="test")


def _page(
    integration_id: str, form: RotationForm, report: Report | None = None, status: int = 200,
    **values: Any,
) -> ResponseReturnValue:  # fmt: skip
    session = current_session()
    row = get_integration(session, key_of(integration_id))
    return show_tab(
        "webhook.html", integration_id, TAB, status, rotation=form, report=report,
        checks=[] if report is None else [told(check) for check in report.checks],
        event=testing.shown(session, [row.id], request.args.get("event")),
        password_at=password_set_at(row), **_sets(row), **values,
    )  # fmt: skip


def told(check: Check) -> Check:
    """A check with its remedy as somebody at a page can do it."""
    remedy = check.remedy and _BY_COMMAND.sub("Repair puts this right.", check.remedy)
    for said, here in _ELSEWHERE.items():
        remedy = remedy and remedy.replace(said, here)
    return check._replace(remedy=remedy)


def password_set_at(row: Integration) -> Any:
    """When the password that is good now was made, by the audit log."""
    of_this = {"subject_kind": "integration", "subject_id": row.id,
               "action": "integration.secret_rotated"}  # fmt: skip
    newest = list_entries(current_session(), Paging(1, descending=True), of_this).rows
    return newest[0][0].at if newest else row.created_at


def _sets(row: Integration) -> dict[str, Any]:
    """Whether the password before this one is still good, and until when; None: without end."""
    untold = row.untold_password_encrypted is not None
    until = row.previous_expires_at
    live = row.previous_digest is not None and (untold or (until is not None and until > utc_now()))
    return {"old_is_good": live, "old_until": None if untold else until, "untold": untold}
