"""Customers: those who pay, who brought them, and what came of it."""

from itertools import chain
from typing import Any, NamedTuple

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from wtforms import EmailField, StringField

from rewards_service.admin.activity import activity_of
from rewards_service.admin.business import fields, payers, trail
from rewards_service.admin.business.naming import Names, name_of_customer, outside
from rewards_service.admin.business.registered import Words, form_page
from rewards_service.admin.business.searching import NOTHING, Sought, answer, understood
from rewards_service.admin.business.sharing import Sharing
from rewards_service.admin.cells import foreign
from rewards_service.admin.doing import carry_out
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import public_id
from rewards_service.chargebee.console import CUSTOMERS
from rewards_service.crm import customer_service as service
from rewards_service.crm import listing
from rewards_service.crm.models import Customer
from rewards_service.crm.schemas import CustomerChangeSchema, CustomerSchema
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, path_key
from rewards_service.rewards.listing import list_rewards
from rewards_service.transactions.listing import list_transactions
from rewards_service.webhooks import reattribution

blueprint = Pages("customers_pages", url_prefix="/customers")

READ, WRITE = "crm:read", "crm:write"
WORDS = Words("customer", "Customers", "customers_pages.list_customers", "Enter it")
MEMBERS = ("name", "email", "source_partner_id")
PLAIN = ("name", "email")
LATEST = Paging(10, descending=True, after=None)


class CustomerForm(fields.VersionedForm):
    """Somebody who pays."""

    name = StringField("Name")
    email = EmailField(
        "E-mail address",
        description="The first payment by this address brings its Chargebee id to the customer.",
    )


class Row(NamedTuple):
    """A customer as the list shows it."""

    customer: Customer
    partner: Markup
    chargebee: Markup


@blueprint.page("", permission=READ)
def list_customers() -> ResponseReturnValue:
    """The newest customers first."""
    return answer(VIEW, SOUGHT, "business/list.html", new="customers_pages.new_customer",
                  imports=None, noun="customer")  # fmt: skip


@blueprint.page("/new", permission=WRITE)
def new_customer() -> ResponseReturnValue:
    """Enter a customer by hand."""
    return _form(_new_form())


@blueprint.page("", permission=WRITE, methods=("POST",))
def create_customer() -> ResponseReturnValue:
    """Enter it, as POST /api/v1/customers does."""
    form, session = _new_form(), current_session()

    def create() -> Customer:
        texts = fields.told(form, MEMBERS)
        named = fields.partner_id(session, texts["source_partner_id"], "source_partner_id")
        if not texts["name"] and not texts["email"]:
            raise ValidationError({"name": ["Enter a name, an e-mail address, or both."]})
        body = {name: text or None for name, text in texts.items()}
        wanted = CustomerSchema().load({**body, "source_partner_id": named})
        return service.create_customer(session, wanted, actor())

    made = carry_out(form, create)
    if made is None:
        return _form(form, code=422)
    flash("The customer is entered.", "success")
    return redirect(url_for("customers_pages.show_customer",
                            customer_id=public_id("customer", made.id)))  # fmt: skip


@blueprint.page("/<customer_id>", permission=READ)
def show_customer(customer_id: str) -> ResponseReturnValue:
    """A customer: who brought it and how that was found, what it paid, what was earned."""
    session = current_session()
    customer = service.get_customer(session, path_key("cus", customer_id))
    story = trail.story_of(session, customer.id)
    paid = list_transactions(session, LATEST, {"customer_id": customer.id})
    earned = list_rewards(session, LATEST, {"customer_id": customer.id})
    origins: list[Any] = [*story.leads, *story.deals]
    brought = Sharing(session, [customer.id]).of_customer(customer)
    is_shared = len(brought) > 1
    sharers = {
        deal: [share.partner_id for share in shares]
        for deal, shares in listing.shares_of(session, [one.id for one in story.deals]).items()
    }
    names = Names(session, [*brought, *chain(*sharers.values()),
                            *(one.partner_id for one in origins)])  # fmt: skip
    known = payers.payers_of(session, customer.id)
    return show(
        "business/customer.html", customer=customer, customer_id=customer_id, story=story,
        name=name_of_customer(customer) or customer_id, names=names, foreign=foreign,
        found=payers.how_found(customer, story, is_shared), chain=trail.chain_of(session, story),
        partners=names.partners(brought), shared=is_shared, sharers=sharers,
        payers=[(outside(one.site, CUSTOMERS, one.name), one.site) for one in known],
        payments=[row[0] for row in paid.rows], more_payments=paid.last is not None,
        rewards=trail.reward_lines(session, [row[0].id for row in earned.rows])[::-1],
        more_rewards=earned.last is not None,
        emails=payers.emails_of(session, known), relatives=payers.relatives_of(session, known),
        lines=activity_of(session, "customer", customer.id),
    )  # fmt: skip


@blueprint.page("/<customer_id>/edit", permission=WRITE)
def edit_customer(customer_id: str) -> ResponseReturnValue:
    """Change what a customer is called."""
    customer = service.get_customer(current_session(), path_key("cus", customer_id))
    return _form(_edit_form(customer), customer)


@blueprint.page("/<customer_id>", permission=WRITE, methods=("POST",))
def change_customer(customer_id: str) -> ResponseReturnValue:
    """Change what differs, as PATCH /api/v1/customers does."""
    session, key = current_session(), path_key("cus", customer_id)
    form = _edit_form(service.get_customer(session, key))

    def change() -> bool:
        customer = service.get_customer(session, key, lock=True)
        form.check_version(customer)
        schema = CustomerChangeSchema()
        given = fields.changes(schema, fields.told(form, PLAIN), _shown(customer))
        reattribution.change_customer(session, key, schema.load(given), actor())
        return True

    if carry_out(form, change) is None:
        return _form(form, service.get_customer(session, key), 422)
    flash("Saved.", "success")
    return redirect(url_for("customers_pages.show_customer", customer_id=customer_id))


def _new_form() -> Any:
    return fields.with_partner(
        CustomerForm, current_session(), "source_partner_id", "Source partner"
    )()


def _edit_form(customer: Customer) -> CustomerForm:
    return CustomerForm(data={**_shown(customer), "version": fields.stamp(customer)})


def _shown(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) or "" for name in PLAIN}


def _form(form: Any, customer: Customer | None = None, code: int = 200) -> ResponseReturnValue:
    page = place_of("customer", customer.id) if customer else None
    return form_page(form, WORDS, MEMBERS, page, code=code)


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted = understood(chosen)
    if wanted is None:
        return NOTHING
    page = listing.list_customers(session, paging, wanted)
    customers = [row[0] for row in page.rows]
    sharing = Sharing(session, [customer.id for customer in customers])
    brought = [sharing.of_customer(customer) for customer in customers]
    names = Names(session, chain(*brought))
    ids = listing.chargebee_ids(session, [customer.id for customer in customers])
    rows: Any = [
        Row(customer, names.partners(partners), _ids(ids[customer.id]))
        for customer, partners in zip(customers, brought, strict=True)
    ]
    return Page(rows, page.last)


def _ids(found: list[dict[str, str]]) -> Markup:
    return Markup(", ").join(outside(one["site"], CUSTOMERS, one["id"]) for one in found)


SOUGHT = Sought("email", lambda _session, text: {"chargebee_customer_id": text})
VIEW = ListView(
    title="Customers",
    lead="Those who pay. Most are made by the first payment of a lead, or of a deal's contact.",
    columns=(
        Column("Customer", lambda row: foreign(
            name_of_customer(row.customer) or public_id("customer", row.customer.id))),
        Column("E-mail", lambda row: foreign(row.customer.email or "-"), priority=2),
        Column("Source partner", lambda row: row.partner),
        Column("Chargebee Customer ID", lambda row: row.chargebee or "-", priority=3),
        Column("Since", lambda row: moment(row.customer.created_at), priority=2),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: place_of("customer", row.customer.id) or "",
    filters=(
        Filter("email", "E-mail address, or an id", kind="search"),
        Filter("chargebee_customer_id", "Chargebee Customer ID"),
    ),
    export="/files/customers",
    empty=Empty("building-store", "No customers yet.",
                "They come with the first payment of a lead or of a deal's contact.",
                (("Look at leads", "leads_pages.list_leads", "address-book"),
                 ("Look at deals", "deals_pages.list_deals", "briefcase")), by_payments=True),
)  # fmt: skip
