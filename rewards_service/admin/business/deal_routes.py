"""Deals: sales that partners work on, alone or together."""

from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rewards_service.admin.business import deal_forms as forms
from rewards_service.admin.business import fields, registered
from rewards_service.admin.business.naming import Names, link_deal
from rewards_service.admin.business.searching import Sought, answer
from rewards_service.admin.cells import foreign, status
from rewards_service.admin.doing import carry_out, read_as
from rewards_service.admin.layout import moment, money
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, actor
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import public_id
from rewards_service.crm import listing, service
from rewards_service.crm.matching import OPEN_DEALS
from rewards_service.crm.models import DEAL_STAGES, Deal
from rewards_service.crm.schemas import DealSchema
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, path_key

blueprint = Pages("deals_pages", url_prefix="/deals")

READ, WRITE = "crm:read", "crm:write"
WORDS = registered.Words("deal", "Deals", "deals_pages.list_deals")
KEPT = "It has its customer: its contact, partner, shares and registration stay."


@blueprint.page("", permission=READ)
def list_deals() -> ResponseReturnValue:
    """The newest deals first; e-mail addresses are found in every spelling."""
    return answer(VIEW, SOUGHT, "business/list.html", new="deals_pages.new_deal",
                  imports="deals_pages.import_deals", noun="deal")  # fmt: skip


@blueprint.page("/new", permission=WRITE)
def new_deal() -> ResponseReturnValue:
    """Register a deal."""
    return _form(forms.new_form(current_session()))


@blueprint.page("", permission=WRITE, methods=("POST",))
def create_deal() -> ResponseReturnValue:
    """Register it, as POST /api/v1/deals does."""
    session = current_session()
    form = forms.new_form(session)
    made = carry_out(
        form,
        lambda: service.create_deal(
            session, read_as(DealSchema(), forms.new_deal(session, form)), actor()
        ),
    )
    if made is None:
        return _form(form, code=422)
    flash("The deal is registered. A payment by its contact brings its customer.", "success")
    return redirect(url_for("deals_pages.show_deal", deal_id=public_id("deal", made.id)))


@blueprint.page("/<deal_id>", permission=READ)
def show_deal(deal_id: str) -> ResponseReturnValue:
    """A deal, and the whole way from its payment to the payout."""
    session = current_session()
    deal = service.get_deal(session, path_key("dea", deal_id))
    shares = listing.shares_of(session, [deal.id])[deal.id]
    sharers: list[int | None] = [share.partner_id for share in shares] or [deal.partner_id]
    names = Names(session, sharers)
    split = [(names.partner(one.partner_id), fields.per_cent(one.basis_points)) for one in shares]
    return registered.detail_page(
        "business/deal.html", WORDS, deal, deal_id, link_deal(deal), names.partners(sharers),
        name=deal.name, state=deal.stage, split=split, next_step=_next_step(deal),
    )  # fmt: skip


@blueprint.page("/<deal_id>/edit", permission=WRITE)
def edit_deal(deal_id: str) -> ResponseReturnValue:
    """Change a deal."""
    session = current_session()
    deal = service.get_deal(session, path_key("dea", deal_id))
    return _form(forms.edit_form(session, deal), deal)


@blueprint.page("/<deal_id>", permission=WRITE, methods=("POST",))
def change_deal(deal_id: str) -> ResponseReturnValue:
    """Change what differs, as PATCH /api/v1/deals does."""
    session, key = current_session(), path_key("dea", deal_id)
    form = forms.edit_form(session, service.get_deal(session, key))

    def change() -> Deal:
        deal = service.get_deal(session, key, lock=True)
        form.check_version(deal)
        registered.check_kept(form, forms.FIXED, KEPT)
        given = forms.changed_deal(session, form, deal)
        return service.change_deal(session, key, DealSchema(partial=True).load(given), actor())

    if carry_out(form, change) is None:
        return _form(form, service.get_deal(session, key), 422)
    flash("Saved.", "success")
    return redirect(url_for("deals_pages.show_deal", deal_id=deal_id))


def _next_step(deal: Deal) -> str | None:
    if deal.customer_id is not None:
        return None
    if not deal.contact_email:
        return "It has no contact: without an e-mail address no payment finds it."
    if deal.stage in OPEN_DEALS:
        return ("It gets its customer with the first payment in Chargebee that comes from its "
                "contact's e-mail address.")  # fmt: skip
    return "A deal at this stage gets no customer by a payment."


def _form(form: Any, deal: Deal | None = None, code: int = 200) -> ResponseReturnValue:
    return registered.form_page(
        form, WORDS, forms.MEMBERS, place_of("deal", deal.id) if deal else None, code=code,
        kept=KEPT if deal is not None and deal.customer_id is not None else None,
    )  # fmt: skip


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    return registered.rows_of(session, paging, chosen, listing.list_deals, _split)


def _split(session: Session, deals: list[int]) -> dict[int, list[int]]:
    shares = listing.shares_of(session, deals)
    return {deal: [share.partner_id for share in shares[deal]] for deal in deals}


def amount_of(deal: Deal) -> str:
    if deal.amount_minor is None or deal.currency is None:
        return "-"
    return money(deal.amount_minor, deal.currency)


SOUGHT = Sought("contact_email", lambda _session, text: {"external_id": text})
VIEW = ListView(
    title="Deals",
    lead="Sales that partners work on. A payment by the contact brings the customer to the deal.",
    columns=(
        Column("Deal", lambda row: foreign(row.thing.name)),
        Column("Contact", lambda row: foreign(row.thing.contact_email or "-"), priority=2),
        Column("Stage", lambda row: status(row.thing.stage)),
        Column("Amount", lambda row: amount_of(row.thing), align="end"),
        Column("Partner", lambda row: row.partner),
        Column("Registered", lambda row: moment(row.thing.registered_at), priority=3),
        Column("Customer", lambda row: row.customer, priority=3),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: place_of("deal", row.thing.id) or "",
    filters=(
        Filter("contact_email", "Contact's e-mail, or an id", kind="search"),
        Filter("stage", "Stage", {name: name.title() for name in DEAL_STAGES}),
        Filter("partner_id", "Partner (e-mail or id)"),
        Filter("external_id", "Id in your CRM"),
    ),
    export="/files/deals",
    empty=Empty(
        "briefcase",
        "No deals yet.",
        "Register the first one, or bring in a file of your CRM.",
    ),
)
