"""API keys: who calls the interface, with which scopes, since when, and until when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy.orm import Session
from wtforms import DateField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from rewards_service.accounts import queries, service
from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.schemas import ApiKeyChangeSchema, ApiKeySchema
from rewards_service.admin import doing
from rewards_service.admin.activity import activity_of
from rewards_service.admin.cells import foreign, status
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.numbers.parts import partner_names
from rewards_service.admin.numbers.scopes import EXPLAINED, GROUPS
from rewards_service.admin.pages import Pages, actor, may, show
from rewards_service.admin.places import link_to, place_of
from rewards_service.kit import ids
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings, path_key

blueprint = Pages("keys_pages", url_prefix="/keys")


class KeyForm(FlaskForm):  # type: ignore[misc]
    """A new key."""

    name = StringField(
        "Name", [InputRequired("Who, or what, uses this key?"), Length(max=200)],
        description="What uses it, such as “BI export” or “CRM sync”.",
    )  # fmt: skip
    scopes = SelectMultipleField(
        "What it may do", [InputRequired("A key needs at least one scope.")],
        choices=[SelectChoice(scope, scope) for scope in service.SCOPES],
    )  # fmt: skip
    partner_id = StringField(
        "Only for one partner (optional)",
        description="The id of a partner, par_.... The key then shows that partner's rows alone, "
        "and may only read.",
    )
    expires_at = DateField(
        "Ends on (optional)", [Optional()],
        description="At the beginning of that day, in UTC. Without it the key works until it is "
        "revoked.",
    )  # fmt: skip


class NameForm(FlaskForm):  # type: ignore[misc]
    """Another name."""

    name = StringField("Name", [InputRequired("A key needs a name."), Length(max=200)])


class Row(NamedTuple):
    """A key, and the name of the partner it is bound to."""

    key: ApiKey
    partner: Markup | None


@blueprint.page("", permission="keys:read")
def list_keys() -> ResponseReturnValue:
    """All keys, the newest first."""
    new = (("New key", url_for("keys_pages.new_key"), "plus"),) if may("keys:write") else ()
    return show("list.html", **replace(VIEW, actions=new).values())


@blueprint.page("/new", permission="keys:write")
def new_key() -> ResponseReturnValue:
    """The form for one."""
    return _form_page(KeyForm(partner_id=request.args.get("partner_id", "")))


@blueprint.page("/new", permission="keys:write", methods=("POST",))
def create_key() -> ResponseReturnValue:
    """Make a key: its text is shown this once."""
    form = KeyForm()
    made = doing.carry_out(form, lambda: _create(form))
    if made is None:
        return _form_page(form, 422)
    return show(
        "keys/made.html", 201, key=made[0], text=made[1], address=_address(made[0]),
        base=current_settings().base_url,
    )  # fmt: skip


@blueprint.page("/<key_id>", permission="keys:read")
def show_key(key_id: str) -> ResponseReturnValue:
    """What a key may do, and when it was used."""
    return _key_page(_found(key_id))


@blueprint.page("/<key_id>", permission="keys:write", methods=("POST",))
def rename_key(key_id: str) -> ResponseReturnValue:
    """Give it another name."""
    key, form = _found(key_id), NameForm()
    done = doing.carry_out(form, lambda: service.rename_key(
        current_session(), key.id,
        doing.read_as(ApiKeyChangeSchema(), {"name": form.name.data})["name"], actor(),
    ))  # fmt: skip
    if done is None:
        return _key_page(_found(key_id), 422, form)
    return redirect(_address(key))


@blueprint.page("/<key_id>/revoke", permission="keys:write", methods=("POST",))
def revoke_key(key_id: str) -> ResponseReturnValue:
    """End a key for good."""
    key = _found(key_id)
    doing.attempt(
        lambda: service.revoke_key(current_session(), key.id, actor()),
        "The key is revoked: whatever still uses it is refused from now on.",
    )
    return redirect(_address(key))


def _create(form: KeyForm) -> tuple[ApiKey, str]:
    on: date | None = form.expires_at.data
    wanted: Mapping[str, Any] = doing.read_as(ApiKeySchema(), {
        "name": form.name.data, "scopes": form.scopes.data,
        "partner_id": (form.partner_id.data or "").strip(),
        "expires_at": None if on is None else f"{on:%Y-%m-%d}T00:00:00Z",
    })  # fmt: skip
    return service.create_key(
        current_session(), wanted["name"], wanted["scopes"], wanted["expires_at"],
        secret_key=current_settings().secret_key, actor=actor(), partner_id=wanted["partner_id"],
    )  # fmt: skip


def _form_page(form: KeyForm, status: int = 200) -> ResponseReturnValue:
    return show(
        "keys/new.html", status, form=form, groups=GROUPS, for_partners=service.PARTNER_SCOPES
    )


def _key_page(key: ApiKey, status: int = 200, form: NameForm | None = None) -> ResponseReturnValue:
    session = current_session()
    name = partner_names(session, [key.partner_id]).get(key.partner_id or 0)
    return show(
        "keys/key.html", status, key=key, state=state_of(key), explained=EXPLAINED,
        partner=link_to("partner", key.partner_id, name), form=form or NameForm(name=key.name),
        activity=activity_of(session, "api_key", key.id) if may("audit:read") else [],
    )  # fmt: skip


def _found(key_id: str) -> ApiKey:
    return service.get_key(current_session(), path_key("key", key_id))


def _address(key: ApiKey) -> str:
    return place_of("api_key", key.id) or url_for("keys_pages.list_keys")


def state_of(key: ApiKey) -> str:
    """What a key is good for: active, expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "active" if service.is_live(key) else "expired"


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted = ids.decode("par", chosen["partner_id"]) or 0 if "partner_id" in chosen else None
    page = queries.list_keys(session, paging, wanted)
    keys = [row[0] for row in page.rows]
    names = partner_names(session, [key.partner_id for key in keys])
    rows: Any = [Row(key, names.get(key.partner_id or 0)) for key in keys]
    return Page(rows, page.last)


def _status(row: Row) -> Markup:
    return status(state_of(row.key))


def _for_whom(row: Row) -> Markup:
    if row.key.partner_id is None:
        return Markup("everything")
    return link_to("partner", row.key.partner_id, row.partner)


VIEW = ListView(
    title="API keys",
    lead="Programs call /api/v1 with a key. What it may do was chosen when it was made.",
    columns=(
        Column("Name", lambda row: foreign(row.key.name)),
        Column("State", _status),
        Column("Begins with", lambda row: Markup("<code>rk_{}</code>").format(row.key.public_part),
               priority=3),
        Column("Scopes", lambda row: ", ".join(row.key.scopes), priority=3),
        Column("Sees", _for_whom, priority=2),
        Column("Last used", lambda row: moment(row.key.last_used_at)),
        Column("Ends", lambda row: moment(row.key.expires_at), priority=2),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: _address(row.key),
    filters=(Filter("partner_id", "Partner (its id)", kind="search"),),
    export="/files/api-keys",
    empty=Empty("key", "No keys yet.", "Make one for each program that calls the API."),
)  # fmt: skip
