"""Payout schedules and exchange rates as the API takes and shows them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from rewards_service.kit.fields import (
    BY_ITSELF,
    Amounts,
    Choice,
    Currency,
    Day,
    Flag,
    Instant,
    Number,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.payouts.fields import ExactRate
from rewards_service.payouts.models import SCHEDULE_KINDS

LATEST_DAY_OF_MONTH = 28


class ExchangeRateSchema(StrictSchema):
    """What a unit of one currency was worth in another on a day."""

    id = PublicId("fxr", dump_only=True)
    from_currency = Currency(required=True)
    to_currency = Currency(required=True)
    rate_on = Day(required=True)
    rate = ExactRate(required=True)
    source = Text(required=True)
    created_at = Instant(dump_only=True)

    @validates_schema
    def _two_currencies(self, body: Mapping[str, Any], **_: Any) -> None:
        if body["from_currency"] == body["to_currency"]:
            raise ValidationError("Another currency than from_currency.", "to_currency")


class ExchangeRateQuerySchema(ListQuery):
    from_currency = Currency()
    to_currency = Currency()


class PayoutScheduleSchema(StrictSchema):
    """When drafts are made by themselves."""

    id = PublicId("sch", dump_only=True)
    kind = Choice(SCHEDULE_KINDS, required=True)
    day = Number(least=1, most=LATEST_DAY_OF_MONTH, load_default=1)
    program_id = PublicId("prg", allow_none=True, load_default=None)
    thresholds = Amounts(allow_none=True, load_default=None)
    enabled = Flag(load_default=True)
    from_on = fields.Date(dump_only=True)
    last_run_on = fields.Date(dump_only=True, allow_none=True, metadata=BY_ITSELF)
    next_run_on = fields.Date(dump_only=True, allow_none=True, metadata=BY_ITSELF)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


ExchangeRatePageSchema = page_schema("ExchangeRatePage", ExchangeRateSchema)
PayoutSchedulePageSchema = page_schema("PayoutSchedulePage", PayoutScheduleSchema)
