"""The form of a deal: its amount in whole units, its shares in per cent."""

from typing import Any

from flask_wtf import FlaskForm
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from wtforms import EmailField, FieldList, Form, FormField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from rewards_service.admin.business import fields, registered
from rewards_service.audit.subjects import public_id
from rewards_service.crm import listing
from rewards_service.crm.models import DEAL_STAGES, Deal
from rewards_service.crm.schemas import MAX_SHARES, DealSchema
from rewards_service.crm.service import FIXED_BY_ASSOCIATION

MEMBERS = (
    "name", "contact_email", "amount_minor", "currency", "stage", "partner_id", "registered_at",
    "external_id",
)  # fmt: skip
FIXED = (*FIXED_BY_ASSOCIATION, "shares")  # once it has its customer
BLANKS = 3  # lines for further shares


class DealForm(registered.RegisteredForm):
    """A sale that a partner works on."""

    name = StringField("Name", [DataRequired("A deal needs a name.")])
    contact_email = EmailField(
        "Contact's e-mail address",
        description="A payment by this address brings its customer to the deal.",
    )
    amount_minor = StringField(
        "Amount", render_kw={"inputmode": "decimal"}, description="Such as 1240.50. May be empty."
    )
    currency = StringField(
        "Currency", render_kw={"maxlength": "3"}, description="Such as EUR; with the amount only."
    )
    stage = SelectField(
        "Stage", default="open",
        choices=[SelectChoice(name, name.title()) for name in DEAL_STAGES],
        description="A lost or archived deal gets no customer by a payment.",
    )  # fmt: skip


def new_form(session: Session) -> Any:
    """An empty form, or what was sent."""
    return _kind(session)(data={"shares": _blank(0)})


def edit_form(session: Session, deal: Deal) -> Any:
    """The form of a deal as it is, or what was sent; without what stays for good."""
    shares = [
        {"partner": public_id("partner", one.partner_id), "per_cent": fields.per_cent(points)}
        for one in listing.shares_of(session, [deal.id])[deal.id]
        for points in [one.basis_points]
    ]
    texts = {**shown(deal), "version": fields.stamp(deal)}
    form = _kind(session)(data={**texts, "shares": [*shares, *_blank(len(shares))]})
    if deal.customer_id is not None:
        for name in FIXED:
            del form[name]
    return form


def _kind(session: Session) -> type[FlaskForm]:
    choices = fields.partner_choices(session)
    field = fields.partner_field(choices, "Partner")
    share = type("ShareForm", (Form,), {
        "partner": field,
        "per_cent": StringField("Per cent", render_kw={"inputmode": "decimal"}),
    })  # fmt: skip
    members = {
        "partner_id": fields.partner_field(choices, "Partner"),
        "shares": FieldList(FormField(share), max_entries=MAX_SHARES),
    }
    return type("DealForm", (DealForm,), members)


def _blank(taken: int) -> list[dict[str, str]]:
    return [{}] * min(BLANKS, MAX_SHARES - taken)


def shown(deal: Deal) -> dict[str, str]:
    """A deal's members as the form shows them."""
    amount = fields.in_units(deal.amount_minor, deal.currency)
    return {**registered.shown(deal, MEMBERS), "amount_minor": amount}


def new_deal(session: Session, form: Any) -> dict[str, Any]:
    """The body of a new deal. Raises ValidationError."""
    return {**_typed(_told(session, form)), "shares": _shares(session, form)}


def changed_deal(session: Session, form: Any, deal: Deal) -> dict[str, Any]:
    """The body that changes a deal to what the form says. Raises ValidationError."""
    before = shown(deal)
    texts = _told(session, form)
    given = fields.changes(DealSchema(), texts, before)
    if "amount_minor" in given or "currency" in given:  # the same digits are another amount then
        given = {**given, "amount_minor": form.amount_minor.data.strip() or None}
    wanted = _typed(given, texts["currency"])
    if "shares" in form:
        shares = _shares(session, form)
        held = [
            {"partner_id": public_id("partner", one.partner_id), "basis_points": one.basis_points}
            for one in listing.shares_of(session, [deal.id])[deal.id]
        ]
        if sorted(map(_order, shares)) != sorted(map(_order, held)):
            wanted["shares"] = shares
    return wanted


def _told(session: Session, form: Any) -> dict[str, str]:
    texts = registered.told(session, form, MEMBERS)
    return {**texts, "currency": texts["currency"].upper()}


def _order(share: dict[str, Any]) -> tuple[str, int]:
    return share["partner_id"], share["basis_points"]


def _typed(texts: Any, currency: str | None = None) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(texts)
    if wanted.get("amount_minor"):
        unit = (wanted.get("currency") or "") if currency is None else currency
        wanted["amount_minor"] = fields.minor_units(wanted["amount_minor"], unit, "amount_minor")
    return wanted


def _shares(session: Session, form: Any) -> list[dict[str, Any]]:
    """Lines that say anything; each must name a partner and a share."""
    found = []
    for entry in form.shares:
        points = (entry.per_cent.data or "").strip()
        named = fields.partner_id(session, entry.partner.data, "shares")
        if not points and named is None:
            continue
        if not points or named is None:
            raise ValidationError({"shares": ["A share needs both a partner and per cent."]})
        found.append({"partner_id": named, "basis_points": fields.basis_points(points)})
    return found
