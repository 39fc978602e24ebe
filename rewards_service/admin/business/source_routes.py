"""Another source partner for a customer: what would happen first, then once more, for good."""

from hashlib import sha256
from typing import Any, NamedTuple

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from markupsafe import Markup
from marshmallow import ValidationError
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice

from rewards_service.admin.business import fields
from rewards_service.admin.business.customer_routes import WRITE, blueprint
from rewards_service.admin.business.naming import Names, name_of_customer
from rewards_service.admin.business.sharing import Sharing
from rewards_service.admin.doing import carry_out
from rewards_service.admin.pages import actor, show
from rewards_service.audit.subjects import key_of, public_id
from rewards_service.crm.customer_service import get_customer
from rewards_service.crm.models import Customer
from rewards_service.crm.schemas import CustomerChangeSchema
from rewards_service.kit.web import current_session, path_key
from rewards_service.webhooks.consequences import RewardChange, totals
from rewards_service.webhooks.reattribution import Moved
from rewards_service.webhooks.reattribution import change_customer as change

FROM_NOW, ALL_OPEN = "", "yes"
BLUEPRINTS = (blueprint,)  # with the pages added here
CONFIRM = "confirm"
MOST_SHOWN = 50


class SourceForm(FlaskForm):  # type: ignore[misc]
    """Who brought a customer, from when on, and why a person says so."""

    retroactive = SelectField(
        "From when on", default=FROM_NOW,
        choices=[
            SelectChoice(FROM_NOW, "From now on: for payments that are recorded from here on"),
            SelectChoice(ALL_OPEN, "Also for recorded payments whose rewards are not settled"),
        ],
        description="What is in a payout, paid or declined stays with whom it was given, whichever "
        "you choose.",
    )  # fmt: skip
    reason = TextAreaField(
        "Why", render_kw={"rows": "3"}, description="Stands in the audit log, with your name."
    )
    seen = HiddenField()


class Preview(NamedTuple):
    """What a change would do, for a person to judge."""

    partner: Markup | None  # None: nobody is to be the source partner
    sums: list[tuple[Markup, str, int]]  # partner, currency, minor units
    changes: list[tuple[RewardChange, Markup]]
    more: int
    kept: list[str]


@blueprint.page("/<customer_id>/source", permission=WRITE)
def choose_source(customer_id: str) -> ResponseReturnValue:
    """Choose another source partner."""
    customer = get_customer(current_session(), path_key("cus", customer_id))
    return _page(customer, _form(customer))


@blueprint.page("/<customer_id>/source", permission=WRITE, methods=("POST",))
def change_source(customer_id: str) -> ResponseReturnValue:
    """Show what would happen; when that was confirmed, and is still so, do it."""
    session, key = current_session(), path_key("cus", customer_id)
    form = _form(get_customer(session, key))
    if request.form.get("step") == CONFIRM and carry_out(form, lambda: _change(key, form)):
        flash("The source partner is changed.", "success")
        return redirect(url_for("customers_pages.show_customer", customer_id=customer_id))
    objections = list(form.form_errors)
    moved = carry_out(form, lambda: _moved(key, form, dry_run=True))
    form.form_errors.extend(error for error in objections if error not in form.form_errors)
    customer = get_customer(session, key)
    if moved is None:
        return _page(customer, form, code=422)
    form.seen.data = _digest(moved)
    return _page(customer, form, _preview(form, moved), 422 if objections else 200)


def _change(key: int, form: Any) -> bool:
    moved = _moved(key, form, dry_run=False)
    if _digest(moved) != form.seen.data:
        raise fields.ChangedMeanwhile(
            "Payments or rewards of this customer changed meanwhile, or you chose something else. "
            "Nothing was done: look at what would happen now."
        )
    return True


def _moved(key: int, form: Any, dry_run: bool) -> Moved:
    session, name = current_session(), "source_partner_id"
    named, is_past = fields.partner_id(session, form[name].data, name), _is_past(form)
    now = get_customer(session, key).source_partner_id
    if not is_past and named == (now and public_id("partner", now)):
        raise ValidationError({name: ["This is the source partner already."]})
    body: dict[str, Any] = {name: named, "retroactive": is_past, "dry_run": dry_run}
    if reason := (form.reason.data or "").strip():
        body["reason"] = reason.replace("\r\n", "\n")
    return change(session, key, CustomerChangeSchema().load(body), actor())


def _is_past(form: Any) -> bool:
    return bool(form.retroactive.data == ALL_OPEN)


def _digest(moved: Moved) -> str:
    """What was shown, in a few letters: sums that would differ are not done unseen."""
    rows = [one[:-1] for one in moved.changes]  # all but the text that explains the sum
    return sha256(repr((rows, moved.kept)).encode()).hexdigest()


def _form(customer: Customer) -> Any:
    kind = fields.with_partner(
        SourceForm, current_session(), "source_partner_id", "New source partner"
    )
    now = customer.source_partner_id
    return kind(data={"source_partner_id": now and public_id("partner", now)})


def _preview(form: Any, moved: Moved) -> Preview:
    session, name = current_session(), "source_partner_id"
    named = fields.partner_id(session, form[name].data, name)
    chosen = key_of(named) if named else None
    names = Names(session, [chosen, *(one.partner_id for one in moved.changes)])
    sums = [(names.partner(partner), currency, amount)
            for (partner, currency), amount in totals(moved.changes).items()]  # fmt: skip
    shown = [(one, names.partner(one.partner_id)) for one in moved.changes[:MOST_SHOWN]]
    more = len(moved.changes) - len(shown)
    kept = [name for _, name in moved.kept]
    return Preview(names.partner(chosen) if chosen else None, sums, shown, more, kept)


def _page(
    customer: Customer, form: Any, preview: Preview | None = None, code: int = 200
) -> ResponseReturnValue:
    brought = Sharing(current_session(), [customer.id]).of_customer(customer)
    names = Names(current_session(), brought)
    return show(
        "business/source.html", code, customer=customer, form=form, preview=preview,
        name=name_of_customer(customer), partners=names.partners(brought), shared=len(brought) > 1,
        is_past=_is_past(form),
    )  # fmt: skip
