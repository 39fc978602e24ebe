"""What is asked about exchange rates and payout schedules."""

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_wtf import FlaskForm
from marshmallow import ValidationError
from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from rewards_service.admin import doing
from rewards_service.kit.money import exponent, is_currency
from rewards_service.payouts.schedule_schemas import (
    LATEST_DAY_OF_MONTH,
    ExchangeRateSchema,
    PayoutScheduleSchema,
)

_KINDS = {
    "monthly": "Every month", "quarterly": "Every quarter",
    "threshold": "As soon as enough is owed",
}  # fmt: skip


class RateForm(FlaskForm):  # type: ignore[misc]
    """What a unit of one currency was worth in another on a day."""

    from_currency = StringField("From", [InputRequired("Such as EUR."), Length(max=3)])
    to_currency = StringField("To", [InputRequired("Such as USD."), Length(max=3)])
    rate_on = DateField("Day", [InputRequired("Of which day is it?")])
    rate = StringField(
        "Rate", [InputRequired("How much of the second is one of the first?")],
        description="1 of the first is so many of the second, such as 1.0842.",
    )  # fmt: skip
    source = StringField(
        "Source", [InputRequired("Who says so?"), Length(max=200)],
        description="Such as ECB. It stands on everything that is converted.",
    )  # fmt: skip

    def wanted(self) -> dict[str, Any]:
        """As the service takes it. Raises ValidationError."""
        day = self.rate_on.data
        return doing.read_as(ExchangeRateSchema(), {
            "from_currency": (self.from_currency.data or "").strip().upper(),
            "to_currency": (self.to_currency.data or "").strip().upper(),
            "rate_on": day.isoformat() if day else None,
            "rate": (self.rate.data or "").strip(), "source": self.source.data,
        })  # fmt: skip


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """When drafts are made by themselves."""

    kind = SelectField("Make drafts", choices=[SelectChoice(*pair) for pair in _KINDS.items()])
    day = IntegerField(
        "On day", [Optional(), NumberRange(1, LATEST_DAY_OF_MONTH)], default=1,
        description=f"1 to {LATEST_DAY_OF_MONTH}; who waits for enough is looked at every day.",
    )  # fmt: skip
    program_id = SelectField("For", choices=[])
    thresholds = TextAreaField(
        "At least (optional)", description="A line for each currency, such as EUR 50.00. Whoever "
        "is owed less waits.",
    )  # fmt: skip

    def wanted(self) -> dict[str, Any]:
        """As the service takes it. Raises ValidationError."""
        found = doing.read_as(PayoutScheduleSchema(), {
            "kind": self.kind.data, "day": self.day.data, "program_id": self.program_id.data,
            "thresholds": amounts(self.thresholds.data or "") or None,
        })  # fmt: skip
        return {**found, "thresholds": found["thresholds"] or {}}


def amounts(text: str) -> dict[str, int]:
    """Lines such as `EUR 50.00` as {currency: minor units}. Raises ValidationError."""
    found: dict[str, int] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        currency, _, amount = line.partition(" ")
        code = currency.upper()
        if not is_currency(code):
            raise ValidationError({"thresholds": [f"{currency[:20]} is no currency."]})
        found[code] = _minor(amount.strip(), code)
    return found


def _minor(text: str, currency: str) -> int:
    digits = exponent(currency)
    try:
        minor = Decimal(text).scaleb(digits)
        if minor == int(minor) and 0 <= minor < 10**15:
            return int(minor)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise ValidationError({"thresholds": [
        f"{text[:20] or 'Nothing'} is no amount of {currency}: write it with a point and "
        f"{digits} digits behind it."
    ]})  # fmt: skip
