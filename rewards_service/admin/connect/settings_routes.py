"""A connected site: what its payments do, and everything else that can be set."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin.activity import activity_of
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
    upkeep,
)
from rewards_service.admin.connect.settings_forms import (
    CONFLICTS,
    HIERARCHIES,
    MODES,
    VERIFICATIONS,
    SettingsForm,
    SiteForm,
    drawn,
    mark_of,
    say_by_label,
    wanted,
)
from rewards_service.admin.doing import attempt, carry_out
from rewards_service.admin.pages import actor, may
from rewards_service.integrations.models import Integration
from rewards_service.integrations.schemas import IntegrationSchema
from rewards_service.integrations.service import (
    change_integration,
    delete_integration,
    get_integration,
)
from rewards_service.kit.errors import Conflict, RewardsError
from rewards_service.kit.web import current_session, current_settings

TAB = "show_integration"
WORDS = {"mode": MODES, "hierarchy": HIERARCHIES, "conflict": CONFLICTS, "verify": VERIFICATIONS}


@blueprint.page(ONE, permission=READ)
def show_integration(integration_id: str) -> ResponseReturnValue:
    """Its settings: a form for those who may change them."""
    row = get_integration(current_session(), key_of(integration_id))
    form = SettingsForm(formdata=None, data={**drawn(row), "seen": mark_of(row)})
    return _page(integration_id, form, SiteForm(formdata=None, site=row.site))


@blueprint.page(ONE, permission=WRITE, methods=("POST",))
def save_settings(integration_id: str) -> ResponseReturnValue:
    """Change them; what follows holds for events received from now on."""
    form = SettingsForm()
    if request.form.get("all_off"):  # the answer to what was asked: then the third one, too
        form.create_transaction.data = False
    key = key_of(integration_id)
    row = get_integration(current_session(), key)
    if carry_out(form, lambda: _save(key, form)) is None:
        say_by_label(form)
        return _page(integration_id, form, SiteForm(formdata=None, site=row.site), 422)
    flash("Saved. It holds for everything that comes from now on.", "success")
    return back_to(TAB, integration_id)


def _save(key: int, form: SettingsForm) -> Integration:
    session = current_session()
    row = get_integration(session, key, lock=True)
    if form.seen.data and form.seen.data != mark_of(row):
        form.seen.data = mark_of(row)
        raise Conflict(
            "Somebody else changed these settings meanwhile. Yours are below and not saved yet: "
            "see that they are still right, then save again."
        )
    body = IntegrationSchema(partial=True, exclude=("kind",)).load(wanted(form))
    return change_integration(session, current_settings(), key, body, actor())


@blueprint.page(f"{ONE}/site", permission=WRITE, methods=("POST",))
def change_site(integration_id: str) -> ResponseReturnValue:
    """Connect it with another site; the API key of the one before is forgotten."""
    form, key = SiteForm(), key_of(integration_id)
    row = get_integration(current_session(), key)
    site = (form.site.data or "").strip().lower().removesuffix(".chargebee.com")

    def change() -> Integration:
        body = IntegrationSchema(partial=True, only=("site",)).load({"site": site})
        return change_integration(current_session(), current_settings(), key, body, actor())

    before = row.site
    if carry_out(form, change) is None:
        row = get_integration(current_session(), key)
        settings = SettingsForm(formdata=None, data={**drawn(row), "seen": mark_of(row)})
        return _page(integration_id, settings, form, 422)
    if site != before:
        flash(f"Connected with {site} now. It needs an API key of its own.", "success")
    return back_to(TAB, integration_id)


@blueprint.page(f"{ONE}/disconnect", permission=WRITE, methods=("POST",))
def disconnect(integration_id: str) -> ResponseReturnValue:
    """Disconnect a site, on request after its webhook was deleted in Chargebee."""
    key, who = key_of(integration_id), actor()
    name = get_integration(current_session(), key).name
    if request.form.get("remove_webhook"):
        try:
            upkeep().remove(key)
        except RewardsError as error:
            refuse(error)
            flash("Nothing was disconnected. Try again, or leave the webhook as it is.", "info")
            return back_to(TAB, integration_id)
        hold_nothing()
    # Between isolates, as a flash is plain text: a name must not reorder what follows it.
    said = f"\u2068{name}\u2069 is disconnected. Its events, customers and rewards stay."
    done = attempt(lambda: delete_integration(current_session(), key, who), said)
    if not done:
        return back_to(TAB, integration_id)
    return redirect(url_for(f"{blueprint.name}.list_integrations"))


def _page(
    integration_id: str, form: SettingsForm, site_form: SiteForm, status: int = 200
) -> ResponseReturnValue:
    key = key_of(integration_id)
    lines = activity_of(current_session(), "integration", key, 8) if may("audit:read") else None
    return show_tab(
        "settings.html", integration_id, TAB, status, form=form, site_form=site_form,
        activity=lines, words=WORDS,
    )  # fmt: skip
