"""Partners: the list, one with its money and what it brought, its statement of a month."""

from dataclasses import replace
from datetime import date
from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.activity import activity_of
from rewards_service.admin.cells import foreign, status
from rewards_service.admin.doing import carry_out
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, actor, may, show
from rewards_service.admin.partners import partner_page, reading
from rewards_service.admin.partners.form_fields import options
from rewards_service.admin.partners.partner_forms import NewPartnerForm, asked, known, place_of
from rewards_service.admin.places import link_to
from rewards_service.kit import ids, pages
from rewards_service.kit.clock import utc_now
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.partners import queries, service
from rewards_service.partners.models import STATUSES, Partner
from rewards_service.partners.payout_details import masked
from rewards_service.partners.schemas import PartnerSchema
from rewards_service.reports import statements
from rewards_service.reports.periods import after_month
from rewards_service.rewards.months import month_of

blueprint = Pages("partners_pages")
_LINES, _MONTHS = 50, 11
TABS = (
    ("Overview", "show_partner"), ("Programmes", "show_enrolments"),
    ("Statement", "show_statement"), ("Payout details", "show_payout_details"),
)  # fmt: skip


@blueprint.page("/partners", permission="partners:read")
def list_partners() -> ResponseReturnValue:
    """The newest first; search finds names by their beginning, addresses and ids."""
    programs = reading.all_programs(current_session())
    choices = {reading.public("program", one.id): one.name for one in programs}
    filters = (*VIEW.filters, Filter("program_id", "Programme", choices))
    # The file knows the filters of the API; it has no search.
    export = None if request.args.get("search") else "/files/partners"
    actions = _new() if may("partners:write") else ()
    view = replace(VIEW, filters=filters, actions=actions, export=export)
    return show("list.html", **view.values())


def _new() -> tuple[tuple[str, str, str], ...]:
    return (("New partner", reading.address("partners_pages.new_partner"), "plus"),)


@blueprint.page("/partners/new", permission="partners:write")
def new_partner() -> ResponseReturnValue:
    return _new_form(NewPartnerForm(formdata=None, data={"program": _only_place()}))


@blueprint.page("/partners/new", permission="partners:write", methods=("POST",))
def create_partner() -> ResponseReturnValue:
    """Make a partner, in a programme at once."""
    form, session = NewPartnerForm(), current_session()
    form.program.choices = _choices()

    def make() -> Partner:
        body: dict[str, Any] = {**asked(form), "status": form.status.data}
        if form.program.data:
            body["enrolments"] = [place_of(form.program.data)]
        return service.create_partner(session, PartnerSchema().load(body), actor())

    partner = carry_out(form, make)
    if partner is None:
        return _new_form(form, 422)
    key = partner.id
    flash(Markup("{} is there.").format(foreign(partner.name)), "success")
    session.commit()
    return redirect(address_of(key), 303)


@blueprint.page("/partners/<partner_id>", permission="partners:read")
def show_partner(partner_id: str) -> ResponseReturnValue:
    """One partner: money, latest rewards, whom it brought, who changed what."""
    session, partner = current_session(), of_path(partner_id)
    return show(
        "partners/show.html", **about(partner, "show_partner"),
        **known(masked(partner, current_settings())),
        balances=partner_page.balances(session, partner.id) if may("rewards:read") else [],
        rewards=partner_page.latest_rewards(session, partner.id) if may("rewards:read") else [],
        brought=partner_page.brought(session, partner.id) if may("crm:read") else None,
        times=partner_page.times_of(session, [partner.id])[partner.id],
        since=partner_page.statuses(session, partner)[0][0],
        policy={one.id: one.inactive_partners for one in reading.all_programs(session)},
        lines=activity_of(session, "partner", partner.id) if may("audit:read") else None,
    )  # fmt: skip


@blueprint.page("/partners/<partner_id>/statement", permission="rewards:read")
def show_statement(partner_id: str) -> ResponseReturnValue:
    """What a partner was owed, what changed that in a month, what it is owed then."""
    session, partner = current_session(), of_path(partner_id)
    month = _month(request.args.get("month", ""))
    secret, purpose = current_settings().secret_key, f"statement:{partner.id}:{month}"
    after = pages.open_place(secret, purpose, request.args.get("cursor", "")[:500])
    found, last = statements.report(session, statements.Wanted(partner.id, month), _LINES, after)
    this_month = month_of(utc_now())
    return show(
        "partners/statement.html", **about(partner, "show_statement"), found=found, month=month,
        cursor=None if last is None else pages.seal_place(secret, purpose, last),
        first_page=after is None,
        months=partner_page.months(session, partner.id, _back(this_month, _MONTHS)),
        earlier=_back(month, 1), later=after_month(month) if month < this_month else None,
    )  # fmt: skip


def _month(text: str) -> date:
    """`2026-03`; what is none counts as this month."""
    this_month = month_of(utc_now())
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return this_month
    return found if found.year > 1970 and found <= this_month else this_month


def _back(month: date, count: int) -> date:
    whole = month.year * 12 + month.month - 1 - count
    return date(whole // 12, whole % 12 + 1, 1)


def of_path(partner_id: str) -> Partner:
    """Raises NotFound."""
    return service.get_partner(current_session(), path_key("par", partner_id))


def address_of(key: int, endpoint: str = "show_partner") -> str:
    partner_id = reading.public("partner", key)
    return reading.address(f"partners_pages.{endpoint}", partner_id=partner_id)


def about(partner: Partner, here: str) -> dict[str, Any]:
    """What every page of a partner needs."""
    tabs = [
        (title, address_of(partner.id, endpoint), endpoint == here)
        for title, endpoint in TABS
        if endpoint != "show_statement" or may("rewards:read")
    ]
    partner_id = reading.public("partner", partner.id)
    return {"partner": partner, "partner_id": partner_id, "tabs": tabs, "bdi": foreign,
            "public": reading.public}  # fmt: skip


def _choices() -> list[Any]:
    return [*options([("", "None yet")]), *partner_page.places(current_session())]


def _only_place() -> str:
    """The programme that is most likely meant: the only one there is."""
    programs = reading.all_programs(current_session())
    return ids.encode("prg", programs[0].id) if len(programs) == 1 else ""


def _new_form(form: NewPartnerForm, status: int = 200) -> ResponseReturnValue:
    form.program.choices = _choices()
    back = reading.address("partners_pages.list_partners")
    return show("partners/new.html", status, form=form, back_url=back)


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted: dict[str, Any] = {name: chosen[name] for name in ("status", "search") if name in chosen}
    if "program_id" in chosen:
        wanted["program_id"] = ids.decode("prg", chosen["program_id"])
    page = queries.list_partners(session, paging, wanted)
    partners = [row[0] for row in page.rows]
    times = partner_page.times_of(session, [one.id for one in partners])
    found: Any = [(one, [time for time in times[one.id] if time.open]) for one in partners]
    return Page(found, page.last)


def _programs(row: Any) -> Markup | str:
    found = [link_to("program", one.row.program_id, foreign(one.words)) for one in row[1]]
    return Markup(", ").join(found) if found else "none"


VIEW = ListView(
    title="Partners",
    lead="Who brings customers, and earns by what they pay.",
    columns=(
        Column("Name", lambda row: foreign(row[0].name)),
        Column("E-mail", lambda row: foreign(row[0].email), priority=2),
        Column("Status", lambda row: status(row[0].status)),
        Column("Programmes", _programs, priority=2),
        Column("Paid in", lambda row: row[0].payout_currency or "as earned", priority=3),
        Column("Since", lambda row: moment(row[0].created_at), priority=3),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: address_of(row[0].id),
    filters=(
        Filter("search", "Name, e-mail or id", kind="search"),
        Filter("status", "Status", {status: status.capitalize() for status in STATUSES}),
    ),
    empty=Empty("users", "No partner yet.",
                "Partners bring leads and deals, and earn by what those pay.", by_payments=True),
)  # fmt: skip
