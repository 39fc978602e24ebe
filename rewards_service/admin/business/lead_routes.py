"""Leads: those that partners brought, each with what became of it."""

from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from rewards_service.admin.business import fields, registered
from rewards_service.admin.business.naming import Names, link_lead, name_of_lead
from rewards_service.admin.business.searching import Sought, answer
from rewards_service.admin.cells import foreign, status
from rewards_service.admin.doing import carry_out, read_as
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, actor
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import public_id
from rewards_service.crm import listing, service
from rewards_service.crm.matching import OPEN_LEADS
from rewards_service.crm.models import LEAD_STATUSES, Lead
from rewards_service.crm.schemas import LeadSchema
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, path_key

blueprint = Pages("leads_pages", url_prefix="/leads")

READ, WRITE = "crm:read", "crm:write"
WORDS = registered.Words("lead", "Leads", "leads_pages.list_leads")
BECOMES = (
    "It becomes a customer with the first payment in Chargebee that comes from this e-mail address "
    "and is not older than its registration."
)
MEMBERS = (
    "email", "first_name", "last_name", "company", "status", "partner_id", "registered_at",
    "external_id",
)  # fmt: skip


KEPT = "It became a customer: its e-mail address, status, partner and registration stay."


class LeadForm(registered.RegisteredForm):
    """Somebody that a partner brought."""

    email = EmailField(
        "E-mail address", [DataRequired("A lead is known by its e-mail address.")],
        description="A payment by this address makes the lead a customer.",
    )  # fmt: skip
    first_name = StringField("First name")
    last_name = StringField("Last name")
    company = StringField("Company")
    status = SelectField(
        "Status", default="accepted",
        choices=[SelectChoice(name, name.title()) for name in LEAD_STATUSES if name != "converted"],
        description="A pending lead converts too, but its rewards wait for a person.",
    )  # fmt: skip


@blueprint.page("", permission=READ)
def list_leads() -> ResponseReturnValue:
    """The newest leads first; e-mail addresses are found in every spelling."""
    return answer(VIEW, SOUGHT, "business/list.html", new="leads_pages.new_lead",
                  imports="leads_pages.import_leads", noun="lead")  # fmt: skip


@blueprint.page("/new", permission=WRITE)
def new_lead() -> ResponseReturnValue:
    """Register a lead."""
    return _form(_new_form())


@blueprint.page("", permission=WRITE, methods=("POST",))
def create_lead() -> ResponseReturnValue:
    """Register it, as POST /api/v1/leads does."""
    form, session = _new_form(), current_session()
    made = carry_out(
        form, lambda: service.create_lead(session, read_as(LeadSchema(), _told(form)), actor())
    )
    if made is None:
        return _form(form, code=422)
    flash("The lead is registered. It converts with its first payment.", "success")
    return redirect(url_for("leads_pages.show_lead", lead_id=public_id("lead", made.id)))


@blueprint.page("/<lead_id>", permission=READ)
def show_lead(lead_id: str) -> ResponseReturnValue:
    """A lead, and the whole way from its payment to the payout."""
    session = current_session()
    lead = service.get_lead(session, path_key("led", lead_id))
    other = session.get(Lead, lead.superseded_by_id) if lead.superseded_by_id else None
    partner = Names(session, [lead.partner_id]).partner(lead.partner_id)
    waits = other is None and lead.status in OPEN_LEADS
    return registered.detail_page(
        "business/lead.html", WORDS, lead, lead_id, link_lead(lead), partner,
        name=name_of_lead(lead), state=lead.status, winner=other and link_lead(other),
        next_step=BECOMES if waits else None,
    )  # fmt: skip


@blueprint.page("/<lead_id>/edit", permission=WRITE)
def edit_lead(lead_id: str) -> ResponseReturnValue:
    """Change a lead."""
    lead = service.get_lead(current_session(), path_key("led", lead_id))
    return _form(_edit_form(lead), lead)


@blueprint.page("/<lead_id>", permission=WRITE, methods=("POST",))
def change_lead(lead_id: str) -> ResponseReturnValue:
    """Change what differs, as PATCH /api/v1/leads does."""
    session, key = current_session(), path_key("led", lead_id)
    form = _edit_form(service.get_lead(session, key))

    def change() -> Lead:
        lead = service.get_lead(session, key, lock=True)
        form.check_version(lead)
        registered.check_kept(form, service.FIXED_BY_CONVERSION, KEPT)
        schema = LeadSchema(partial=True)
        given = fields.changes(schema, _told(form), _shown(lead))
        return service.change_lead(session, key, schema.load(given), actor())

    if carry_out(form, change) is None:
        return _form(form, service.get_lead(session, key), 422)
    flash("Saved.", "success")
    return redirect(url_for("leads_pages.show_lead", lead_id=lead_id))


def _new_form() -> Any:
    return fields.with_partner(LeadForm, current_session(), "partner_id", "Partner")()


def _edit_form(lead: Lead) -> Any:
    kind = fields.with_partner(LeadForm, current_session(), "partner_id", "Partner")
    form = kind(data={**_shown(lead), "version": fields.stamp(lead)})
    if lead.status == "converted":
        for name in service.FIXED_BY_CONVERSION:
            del form[name]
    return form


def _shown(lead: Lead) -> dict[str, str]:
    return registered.shown(lead, MEMBERS)


def _told(form: Any) -> dict[str, str]:
    return registered.told(current_session(), form, MEMBERS)


def _form(form: Any, lead: Lead | None = None, code: int = 200) -> ResponseReturnValue:
    return registered.form_page(
        form, WORDS, MEMBERS, place_of("lead", lead.id) if lead else None, code=code,
        kept=KEPT if lead is not None and lead.status == "converted" else None,
    )  # fmt: skip


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    return registered.rows_of(session, paging, chosen, listing.list_leads)


SOUGHT = Sought("email", lambda _session, text: {"external_id": text})
VIEW = ListView(
    title="Leads",
    lead="People that partners brought. The first payment by their e-mail makes them customers.",
    columns=(
        Column("E-mail", lambda row: foreign(row.thing.email)),
        Column("Name", lambda row: _name(row.thing), priority=2),
        Column("Status", lambda row: status(row.thing.status)),
        Column("Partner", lambda row: row.partner),
        Column("Registered", lambda row: moment(row.thing.registered_at), priority=2),
        Column("Customer", lambda row: row.customer, priority=3),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: place_of("lead", row.thing.id) or "",
    filters=(
        Filter("email", "E-mail address, or an id", kind="search"),
        Filter("status", "Status", {name: name.title() for name in LEAD_STATUSES}),
        Filter("partner_id", "Partner (e-mail or id)"),
        Filter("external_id", "Id in your CRM"),
    ),
    export="/files/leads",
    empty=Empty(
        "address-book",
        "No leads yet.",
        "Register the first one, or bring in a file of your CRM.",
    ),
)


def _name(lead: Lead) -> Markup:
    parts = [foreign(name) for name in (lead.first_name, lead.last_name) if name]
    name = Markup(" ").join(parts)
    if not lead.company:
        return name
    company = Markup('<span class="text-secondary">{}</span>').format(foreign(lead.company))
    return Markup(" · ").join(filter(None, (name, company)))
