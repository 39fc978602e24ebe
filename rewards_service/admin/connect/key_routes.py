"""The API key of a connected site: set, replaced, removed, tried; never shown again."""

from typing import Any

from flask import flash
from flask.typing import ResponseReturnValue

from rewards_service.admin.activity import Line, told
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
from rewards_service.admin.connect.settings_forms import KeyForm, last_four
from rewards_service.admin.connect.webhook_routes import told as in_words
from rewards_service.admin.doing import attempt, carry_out
from rewards_service.admin.pages import actor, may
from rewards_service.audit.queries import list_entries
from rewards_service.connections.access import access_of
from rewards_service.connections.checks import Check
from rewards_service.integrations.models import Integration
from rewards_service.integrations.schemas import IntegrationSchema
from rewards_service.integrations.service import change_integration, get_integration
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.pages import Paging
from rewards_service.kit.web import current_session, current_settings

TAB = "show_api_key"
LOOKED_AT = 50  # changes, the newest first
# What a look at the site says of its key; the rest is about the webhook.
_OF_THE_KEY = ("key_refused", "key_rights", "site_unknown", "key_unreadable", "site_busy",
               "site_unreachable", "chargebee_refused")  # fmt: skip
_WELL = Check("key", True, "Chargebee takes the key.")


@blueprint.page(f"{ONE}/api-key", permission=READ)
def show_api_key(integration_id: str) -> ResponseReturnValue:
    """Whether there is one, since when, and how it ends."""
    return _page(integration_id, KeyForm(formdata=None))


@blueprint.page(f"{ONE}/api-key/check", permission=READ)
def check_api_key(integration_id: str) -> ResponseReturnValue:
    """Ask Chargebee with it."""
    try:
        report = upkeep().examine(key_of(integration_id))
    except RewardsError as error:
        return unless_gone(error, TAB, integration_id)
    wrong = [in_words(check) for check in report.checks if check.id in _OF_THE_KEY]
    return _page(integration_id, KeyForm(formdata=None), checks=wrong or [_WELL])


@blueprint.page(f"{ONE}/api-key", permission=WRITE, methods=("POST",))
def set_api_key(integration_id: str) -> ResponseReturnValue:
    """Set or replace it."""
    form, key = KeyForm(), key_of(integration_id)
    get_integration(current_session(), key)

    def change() -> Integration:
        given = {"api_key": (form.api_key.data or "").strip()}
        body = IntegrationSchema(partial=True, only=("api_key",)).load(given)
        return change_integration(current_session(), current_settings(), key, body, actor())

    if carry_out(form, change) is None:
        return _page(integration_id, form, 422)
    flash("The API key is kept, sealed. Test it.", "success")
    return back_to(TAB, integration_id)


@blueprint.page(f"{ONE}/api-key/remove", permission=WRITE, methods=("POST",))
def remove_api_key(integration_id: str) -> ResponseReturnValue:
    """Forget it: nothing can be asked of Chargebee any more."""
    key, wanted = key_of(integration_id), {"api_key": None}
    session, settings = current_session(), current_settings()
    get_integration(session, key)
    attempt(
        lambda: change_integration(session, settings, key, wanted, actor()),
        "The API key is forgotten. Revoke it in Chargebee, too.",
    )
    return back_to(TAB, integration_id)


def _page(
    integration_id: str, form: KeyForm, status: int = 200, **values: Any
) -> ResponseReturnValue:
    row = get_integration(current_session(), key_of(integration_id))
    return show_tab(
        "api_key.html", integration_id, TAB, status, form=form, set_by=_set_by(row),
        ends_with=_ends_with(row) if may(WRITE) else None, **values,
    )  # fmt: skip


def _ends_with(row: Integration) -> str | None:
    if row.api_key_encrypted is None:
        return None
    try:
        return last_four(access_of(current_settings(), row).api_key)
    except SecretUnreadable:
        return None


def _set_by(row: Integration) -> Line | None:
    """Who gave it, and when, by the audit log; None where that does not say, as of the first."""
    of_this = {"subject_kind": "integration", "subject_id": row.id,
               "action": "integration.changed"}  # fmt: skip
    rows = list_entries(current_session(), Paging(LOOKED_AT, descending=True), of_this).rows
    given = [row[0] for row in rows if "api_key" in row[0].detail.get("members", ())]
    return told(current_session(), given[:1])[0] if given else None
