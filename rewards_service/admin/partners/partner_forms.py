"""Forms of partners: who they are, what they are in, where they are paid."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, EmailField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from rewards_service.admin.cells import foreign
from rewards_service.admin.partners.form_fields import options
from rewards_service.kit import ids
from rewards_service.partners.models import Partner

_OFF = {"autocomplete": "off"}
DETAILS = {
    "account_name": "Account holder", "iban": "IBAN", "bic": "BIC",
    "paypal_email": "PayPal address", "wise_email": "Wise address",
}  # fmt: skip


class PartnerForm(FlaskForm):  # type: ignore[misc]
    """Who a partner is."""

    name = StringField(
        "Name", [InputRequired("Who is it?"), Length(max=200)], render_kw=_OFF
    )  # fmt: skip
    email = EmailField(
        "E-mail address", [InputRequired("An address is needed to tell partners apart.")],
        description="A customer with this address counts as the partner's own: such rewards go on "
        "hold.", render_kw=_OFF,
    )  # fmt: skip
    payout_currency = StringField(
        "Payout currency", [Length(max=3)], render_kw={"placeholder": "EUR", **_OFF},
        description="What the partner wants to be paid in. Blank: each reward in its own.",
    )  # fmt: skip
    external_id = StringField(
        "External id", [Length(max=200)], render_kw=_OFF,
        description="What your other systems call this partner; it belongs to nobody else.",
    )  # fmt: skip


class NewPartnerForm(PartnerForm):
    """A new one, mostly for a programme."""

    program = SelectField(
        "Programme", description="Without one the partner earns nothing. It counts for payments "
        "of any time; days are set later.",
    )  # fmt: skip
    status = SelectField("Status", choices=options([
        ("active", "Active: earns from the start"),
        ("applicant", "Applicant: earns nothing until accepted"),
    ]))  # fmt: skip


class EnrolForm(FlaskForm):  # type: ignore[misc]
    """A time in a programme, at a level or at none."""

    program = SelectField("Programme and level")
    from_on = DateField("From", [Optional()], description="Blank: payments of any time count.")
    until_on = DateField(
        "Until", [Optional()], description="The first day that does not count. Blank: for good."
    )


class PayoutDetailsForm(FlaskForm):  # type: ignore[misc]
    """Where a partner is paid: what is left blank stays as it is."""

    account_name = StringField(DETAILS["account_name"], render_kw=_OFF)
    iban = StringField(DETAILS["iban"], render_kw={**_OFF, "spellcheck": "false"})
    bic = StringField(DETAILS["bic"], render_kw={**_OFF, "spellcheck": "false"})
    paypal_email = EmailField(DETAILS["paypal_email"], render_kw=_OFF)
    wise_email = EmailField(DETAILS["wise_email"], render_kw=_OFF)
    remove_account_name = BooleanField("Remove the account holder")
    remove_iban = BooleanField("Remove the IBAN")
    remove_bic = BooleanField("Remove the BIC")
    remove_paypal_email = BooleanField("Remove the PayPal address")
    remove_wise_email = BooleanField("Remove the Wise address")

    def changes(self) -> dict[str, Any]:
        """What is given, and None for what is to be removed."""
        found: dict[str, Any] = {}
        for name in DETAILS:
            if self[f"remove_{name}"].data:
                found[name] = None
            elif (self[name].data or "").strip():
                found[name] = self[name].data.strip()
        return found


def shown(partner: Partner) -> dict[str, Any]:
    """What the form shows of a partner."""
    names = ("name", "email", "payout_currency", "external_id")
    return {name: getattr(partner, name) for name in names}


def asked(form: PartnerForm) -> dict[str, Any]:
    """The form as a body of the API; null for what is blank."""
    currency = (form.payout_currency.data or "").strip().upper()
    return {
        "name": form.name.data, "email": form.email.data, "payout_currency": currency or None,
        "external_id": (form.external_id.data or "").strip() or None,
    }  # fmt: skip


def place_of(value: str) -> dict[str, str]:
    """`prg_.../lvl_...` of a choice as the members of an enrolment."""
    program_id, _, level_id = value.partition("/")
    return {"program_id": program_id, **({"level_id": level_id} if level_id else {})}


def choice(program_id: int, level_id: int | None) -> str:
    """The opposite of `place_of`."""
    program = ids.encode("prg", program_id)
    return program if level_id is None else f"{program}/{ids.encode('lvl', level_id)}"


def known(masked: Mapping[str, Any] | None) -> dict[str, Any]:
    """What pages show of payout details that are masked: pairs of title and text."""
    found = masked or {}
    unreadable = bool(found.get("unreadable"))
    pairs = [(title, foreign(found[name])) for name, title in DETAILS.items() if name in found]
    return {"known": pairs, "unreadable": unreadable, "masked": {} if unreadable else found}
