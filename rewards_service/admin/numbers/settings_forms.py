"""What is asked about exchange rates."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Length

from rewards_service.admin import doing
from rewards_service.payouts.schedule_schemas import ExchangeRateSchema


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
