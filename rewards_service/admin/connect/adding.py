"""/integrations: what is connected, and another site."""

from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rewards_service.admin.connect.frame import READ, WRITE, address, blueprint, upkeep
from rewards_service.admin.connect.settings_forms import AddForm, say_by_label
from rewards_service.admin.connect.standing import standing
from rewards_service.admin.doing import carry_out, read_as
from rewards_service.admin.lists import ListView
from rewards_service.admin.pages import actor, show
from rewards_service.connections.schemas import NewIntegrationSchema
from rewards_service.integrations.handover import keep_untold
from rewards_service.integrations.models import Integration
from rewards_service.integrations.queries import list_integrations as list_rows
from rewards_service.integrations.routes import shown
from rewards_service.integrations.service import Credentials, create_integration
from rewards_service.kit import ids
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings
from rewards_service.samples.payment import webhook_url

_OPTIONS = ("convert_lead", "associate_deal", "create_transaction")


@blueprint.page("", permission=READ)
def list_integrations() -> ResponseReturnValue:
    """Chargebee, with each connected site and how it stands."""
    values = VIEW.values()
    sites = [
        (one, address("show_integration", ids.encode("int", one["id"])), standing(one))
        for one in shown(values["rows"])
    ]
    return show("connect/integrations.html", **values, sites=sites)


def _fetch(session: Session, paging: Paging, _chosen: dict[str, str]) -> Page:
    return list_rows(session, paging)


VIEW = ListView(title="Integrations", columns=(), fetch=_fetch)


@blueprint.page("/add", permission=WRITE)
def show_form() -> ResponseReturnValue:
    """The form for another site."""
    return show("connect/add.html", form=AddForm())


@blueprint.page("", permission=WRITE, methods=("POST",))
def add_integration() -> ResponseReturnValue:
    """Connect a site: address, user name and password of its webhook are shown this once."""
    form = AddForm()
    made = carry_out(form, lambda: _make(form))
    if made is None:
        say_by_label(form)
        return show("connect/add.html", 422, form=form)
    row, credentials = made
    key, name, public_id = row.id, row.name, ids.encode("int", row.id)
    url = webhook_url(current_settings(), row.endpoint_key)
    report = None
    current_session().commit()
    if _is_to_connect(form):
        report = upkeep().try_repair(key)
    return show(
        "connect/added.html", 201, public_id=public_id, url=url, credentials=credentials,
        name=name, report=report,
        next_url=address("show_webhook", public_id),
    )  # fmt: skip


def _make(form: AddForm) -> tuple[Integration, Credentials]:
    site = (form.site.data or "").strip().lower().removesuffix(".chargebee.com")
    fields: dict[str, Any] = {
        "site": site, "name": (form.name.data or "").strip(), "mode": form.mode.data,
        "api_key": (form.api_key.data or "").strip(),
        "options": {name: form[name].data for name in _OPTIONS},
    }  # fmt: skip
    body = read_as(NewIntegrationSchema(exclude=("connect",)), fields)
    made = create_integration(current_session(), current_settings(), body, actor())
    if _is_to_connect(form):
        keep_untold(current_settings(), *made)
    return made


def _is_to_connect(form: AddForm) -> bool:
    return bool(form.connect.data and (form.api_key.data or "").strip())
