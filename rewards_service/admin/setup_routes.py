"""The first steps: an owner, a Chargebee site, its webhook, a test event that comes through."""

from typing import Any

import orjson
from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rewards_service.admin.connect import testing
from rewards_service.admin.forms import ConnectForm
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.inbox import envelope
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.gaps import TEST_EVENT
from rewards_service.integrations.models import Integration
from rewards_service.integrations.schemas import is_site
from rewards_service.integrations.service import create_integration
from rewards_service.kit import bells, ids
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.samples import company
from rewards_service.samples.payment import SANDBOX_SITE, fresh_payment, webhook_url
from rewards_service.webhooks.routes import reception_of

blueprint = Pages("setup", url_prefix="/setup")
SAMPLE_PAYMENTS = 3


@blueprint.page("", permission="setup:write")
def show_setup() -> ResponseReturnValue:
    """The four steps, each with whether it is done."""
    return show("setup.html", **_values(ConnectForm()))


@blueprint.page("", permission="setup:write", methods=("POST",))
def connect() -> ResponseReturnValue:
    """Connect a site: address, user name and password of its webhook are shown this once."""
    form, session = ConnectForm(), current_session()
    site = (form.site.data or "").strip().lower().removesuffix(".chargebee.com")
    if form.validate_on_submit() and not is_site(site):
        form.site.errors = [
            *form.site.errors, "Small letters, digits and hyphens only: the first part of "
            "yourcompany.chargebee.com.",
        ]  # fmt: skip
    if form.errors or not form.is_submitted():
        return show("setup.html", 422, **_values(form))
    options = {
        name: form[name].data for name in ("convert_lead", "associate_deal", "create_transaction")
    }
    try:
        made, credentials = create_integration(
            session, current_settings(), {"site": site, "options": options}, actor()
        )
        session.commit()
    except RewardsError as error:
        session.rollback()
        about = form.create_transaction if "options" in str(error.errors) else form.site
        about.errors = [*about.errors, error.detail]
        return show("setup.html", 422, **_values(form))
    values = _values(ConnectForm(formdata=None))
    return show("setup.html", 201, **values, made=made, credentials=credentials)


@blueprint.page("/<integration_id>/test", permission="setup:write", methods=("POST",))
def send_test(integration_id: str) -> ResponseReturnValue:
    """Send a test event through the site's endpoint; the answer looks after it by itself."""
    event = testing.send(path_key("int", integration_id))
    return redirect(url_for("setup.show_setup", event=event, _anchor="test"))


@blueprint.page("/events/<event_id>", permission="setup:write")
def show_test(event_id: str) -> ResponseReturnValue:
    """What has become of the test event: a part of the page, which asks again while it waits."""
    return show("parts/test_event.html", event=testing.event_of(current_session(), event_id))


@blueprint.page("/sample", permission="setup:write", methods=("POST",))
def load_sample() -> ResponseReturnValue:
    """A sample site with a programme, a partner, a lead, and a few payments."""
    session = current_session()
    made = company.make_company(session, current_settings(), actor())
    session.commit()  # the endpoint takes nothing for a site that is not there yet
    holder = (made.integration.id, made.integration.version)
    session.rollback()
    reception = reception_of(current_app)
    for _ in range(SAMPLE_PAYMENTS):
        body = fresh_payment()
        reception.recorder.record(*holder, envelope.received(body, orjson.loads(body)))
    bells.ring("events")
    flash(f"The sample company is there; {SAMPLE_PAYMENTS} payments are on their way.", "success")
    return redirect(url_for("overview.show_overview"))


@blueprint.page("/sample/remove", permission="setup:write", methods=("POST",))
def remove_sample() -> ResponseReturnValue:
    """Put the sample away."""
    company.put_away(current_session(), actor())
    flash(
        "The sample site is disconnected, its partner paused, its rewards are declined. What was "
        "booked stays in the ledger.",
        "success",
    )
    return redirect(url_for("setup.show_setup"))


def _values(form: ConnectForm) -> dict[str, Any]:
    session = current_session()
    sites = session.scalars(
        select(Integration)
        .where(Integration.deleted_at.is_(None), Integration.site != SANDBOX_SITE)
        .order_by(Integration.id)
        .limit(20)
    ).all()
    heard = None
    if sites:
        newest = select(ReceivedEvent.received_at).where(
            ReceivedEvent.integration_id.in_([site.id for site in sites]),
            ReceivedEvent.event_type != TEST_EVENT,
        )
        heard = session.scalar(newest.order_by(ReceivedEvent.id.desc()).limit(1))
    return {
        "form": form, "sites": sites, "heard": heard,
        "event": testing.shown(session, [site.id for site in sites], request.args.get("event")),
        "sample": company.find_sample_site(session),
        "url_of": lambda site: webhook_url(current_settings(), site.endpoint_key),
        "id_of": lambda site: ids.encode("int", site.id),
    }  # fmt: skip
