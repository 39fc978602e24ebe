"""What reports take as query parameters."""

from marshmallow import fields, validate

from rewards_service.kit.fields import (
    Choice,
    Currency,
    Day,
    Instant,
    InstantOrDay,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import FormatQuery, PlacedQuery
from rewards_service.programs.schemas import TimeZone
from rewards_service.reports import conversions, leaders, periods
from rewards_service.reports.fields import Month, Names, Period, Span
from rewards_service.reports.grouping import DIMENSIONS
from rewards_service.rewards.schemas import StatusName

LONGEST_BOARD = 1_000


class _Convert(StrictSchema):
    """Into which currency, at the rates of which day (today)."""

    convert_to = Currency()
    convert_on = Day()


class _Filters(_Convert):
    """Which rewards, as the list of rewards has it, and by whose rules."""

    status = StatusName()
    partner_id = PublicId("par")
    customer_id = PublicId("cus")
    currency = Currency()
    chargebee_invoice_id = Text()
    created_from = Instant(data_key="created_at[gte]")
    created_before = Instant(data_key="created_at[lt]")
    program_id = PublicId("prg")
    rule_id = PublicId("rul")


class RewardsReportQuerySchema(_Filters, PlacedQuery):
    group_by = Names(DIMENSIONS, load_default=())
    month_from = Month(data_key="month[gte]")
    month_before = Month(data_key="month[lt]")


class SeriesQuerySchema(_Filters, FormatQuery):
    interval = Choice(periods.INTERVALS, load_default=periods.MONTH)
    timezone = TimeZone(load_default="UTC")
    happened_from = InstantOrDay(data_key="happened_at[gte]")
    happened_before = InstantOrDay(data_key="happened_at[lt]")


class LeaderboardQuerySchema(_Convert, FormatQuery):
    metric = Choice(leaders.METRICS, load_default=leaders.METRICS[0])
    period = Period(load_default=Span())
    currency = Currency()
    limit = fields.Integer(load_default=10, validate=validate.Range(1, LONGEST_BOARD))


class StatementQuerySchema(PlacedQuery):
    month = Month(required=True)
    as_of = Instant()
    currency = Currency()


class LiabilityQuerySchema(_Convert, PlacedQuery):
    as_of = Instant()
    partner_id = PublicId("par")
    currency = Currency()


class ConversionQuerySchema(PlacedQuery):
    registered_from = Instant(data_key="registered_at[gte]")
    registered_before = Instant(data_key="registered_at[lt]")
    kind = Choice(conversions.KINDS)
    partner_id = PublicId("par")
