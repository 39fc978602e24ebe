"""Gap-filling: Chargebee's own log of events, read for what the webhook did not bring."""

from datetime import UTC, datetime

from flask import flash
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import Optional

from rewards_service.admin.connect.frame import (
    ONE,
    READ,
    WRITE,
    back_to,
    blueprint,
    hold_nothing,
    key_of,
    refuse,
    show_tab,
)
from rewards_service.integrations.models import EventPoll
from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.http import INTERACTIVE
from rewards_service.kit.web import current_session, current_settings
from rewards_service.polling.jobs import read_log
from rewards_service.polling.queries import EVERY
from rewards_service.polling.reading import PollReport
from rewards_service.polling.routes import BUDGET_SECONDS

TAB = "show_polling"


class PollForm(FlaskForm):  # type: ignore[misc]
    """Where to begin."""

    since = DateField(
        "From this day on", [Optional()],
        description="Empty: where the last reading ended. Chargebee keeps 90 days.",
    )  # fmt: skip


@blueprint.page(f"{ONE}/gap-filling", permission=READ)
def show_polling(integration_id: str) -> ResponseReturnValue:
    """When the log was read, up to where, and when it is next."""
    return _page(integration_id, PollForm(formdata=None))


@blueprint.page(f"{ONE}/gap-filling", permission=WRITE, methods=("POST",))
def poll_now(integration_id: str) -> ResponseReturnValue:
    """Read the log now, for some seconds; the workers read the rest."""
    form, key = PollForm(), key_of(integration_id)
    get_integration(current_session(), key)
    if not form.validate_on_submit():
        return _page(integration_id, form, 422)
    on, settings = form.since.data, current_settings()
    since = None if on is None else datetime(on.year, on.month, on.day, tzinfo=UTC)
    hold_nothing()
    try:
        report = read_log(
            db.engine, settings, key, since=since, budget=BUDGET_SECONDS, patience=INTERACTIVE
        )
        if report.problem is not None:
            raise report.problem
    except RewardsError as error:
        refuse(error)
    else:
        _tell(report)
    return back_to(TAB, integration_id)


def _tell(report: PollReport) -> None:
    new, read = len(report.new), report.read
    came = "nothing was missing" if new == 0 else f"{new} were missing and are being handled"
    flash(f"{read} events read: {came}.", "success")
    if not report.complete:
        flash("There are more: the workers go on reading.", "info")
    if report.may_miss:
        flash("Chargebee may have forgotten what is older than 90 days.", "warning")


def _page(integration_id: str, form: PollForm, status: int = 200) -> ResponseReturnValue:
    poll = current_session().get(EventPoll, key_of(integration_id))
    now = utc_now()
    is_reading = poll is not None and poll.lease_until is not None and poll.lease_until > now
    return show_tab(
        "polling.html", integration_id, TAB, status, form=form, poll=poll, is_reading=is_reading,
        every_minutes=int(EVERY.total_seconds() // 60),
    )  # fmt: skip
