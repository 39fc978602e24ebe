"""Forms about money. What they ask is checked by the schemas and services of the API."""

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from marshmallow import ValidationError
from wtforms import (
    BooleanField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from rewards_service.admin.forms import WholeField
from rewards_service.payouts.models import SCHEDULE_KINDS
from rewards_service.rewards.schemas import LONGEST_REASON

_DAY = {"type": "date"}
_REASON = {"rows": 2, "maxlength": LONGEST_REASON}


def objection(field: str, text: str) -> ValidationError:
    """What `doing.carry_out` puts at a field."""
    return ValidationError({field: [text]})


def reason(why: str, hint: str = "") -> Any:
    """A reason that cannot be left out."""
    checks = [InputRequired(why), Length(max=LONGEST_REASON)]
    return TextAreaField("Reason", checks, description=hint, render_kw=_REASON)


class HoldForm(FlaskForm):  # type: ignore[misc]
    """Let a reward wait."""

    reason = reason("Say what you are in doubt of: somebody has to decide it later.")
    until = StringField(
        "Until", description="The last day of the hold. Leave it empty to hold until a person "
        "decides.", render_kw=_DAY,
    )  # fmt: skip


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Refuse a reward for good."""

    reason = reason("Say why: the partner may ask.")


class AdjustForm(FlaskForm):  # type: ignore[misc]
    """Add to a reward by hand, or take from it."""

    amount = StringField(
        "Amount", [InputRequired("How much is added, or taken away?")],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )  # fmt: skip
    reason = reason("Say why: it stands in the ledger and in the explanation for the partner.",
                    "It stands in the ledger and in the explanation.")  # fmt: skip


class MakeForm(FlaskForm):  # type: ignore[misc]
    """Make payouts of what is due."""

    currency = SelectField("Currency", validate_choice=False)
    cut_off = StringField(
        "Cut-off", [InputRequired("Up to which day?")], render_kw=_DAY,
        description="Rewards that are available on this day or before are paid.",
    )  # fmt: skip
    partner = StringField(
        "Partner", description="Id, external id or e-mail address. Empty: all partners.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )  # fmt: skip
    threshold = StringField(
        "Least amount", description="Who has less waits for the next payout. Empty: none.",
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )  # fmt: skip


class InvoiceForm(FlaskForm):  # type: ignore[misc]
    """The partner's invoice."""

    invoice_number = StringField(
        "Number of the invoice", [InputRequired("The number that the partner gave it is needed.")],
        render_kw={"autocomplete": "off", "maxlength": 200},
    )  # fmt: skip
    document = FileField(
        "Document", [FileRequired("Choose the file of the invoice.")],
        description="PDF, PNG or JPEG, up to 640 KiB.",
        render_kw={"accept": "application/pdf,image/png,image/jpeg"},
    )  # fmt: skip


class PaidForm(FlaskForm):  # type: ignore[misc]
    """The money has left."""

    paid_on = StringField(
        "Day on which the money left", [InputRequired("On which day did it leave?")],
        render_kw=_DAY,
    )  # fmt: skip
    reference = StringField(
        "Reference", description="Of the transfer at your bank, PayPal or Wise, to find it again.",
        render_kw={"autocomplete": "off", "maxlength": 200},
    )  # fmt: skip


class CancelForm(FlaskForm):  # type: ignore[misc]
    """Give a payout up."""

    reason = reason("Say why the payout is given up.")


class RateForm(FlaskForm):  # type: ignore[misc]
    """The exchange rate that is missing."""

    rate = StringField(
        "Rate", [InputRequired("The rate is needed.")],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )  # fmt: skip
    rate_on = StringField("Of the day", [InputRequired("Of which day?")], render_kw=_DAY)
    source = StringField(
        "Source", [InputRequired("Who says so?")], description="Such as ECB.",
        render_kw={"maxlength": 200},
    )  # fmt: skip


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """When payouts are made by themselves."""

    kind = SelectField(
        "How often", choices=[SelectChoice(name, title) for name, title in zip(
            SCHEDULE_KINDS, ("Every month", "Every quarter", "As soon as a partner has enough"),
            strict=True,
        )],
    )  # fmt: skip
    day = WholeField("Day of the month", default=1, description="1 to 28.")
    program_id = SelectField("For", validate_choice=False)
    thresholds = TextAreaField(
        "Least amounts", description="One a line, such as 50.00 EUR. Who has less waits.",
        render_kw={"rows": 2, "autocomplete": "off", "spellcheck": "false"},
    )  # fmt: skip
    enabled = BooleanField("Switched on", default=True)
