"""Reports as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.kit.fields import SOMETIMES, Choice, Instant, PublicId
from rewards_service.reports import grouping
from rewards_service.reports.fields import Month
from rewards_service.rewards.models import EFFECTS, STATUSES


class RateUsedSchema(Schema):
    """The rate that a currency was converted at, its day, and who says so."""

    from_currency = fields.String()
    to_currency = fields.String()
    rate = fields.String()
    rate_on = fields.Date()
    source = fields.String()


class _Converted(Schema):
    """What sums across currencies were made by; null where none were."""

    convert_to = fields.String(allow_none=True)
    convert_on = fields.Date(allow_none=True)
    rates = fields.List(fields.Nested(RateUsedSchema))
    missing_rates = fields.List(fields.String())


class _Measures(Schema):
    """`amount_minor` is what was earned, reversed and adjusted."""

    currency = fields.String()
    amount_minor = fields.Integer()
    earned_minor = fields.Integer()
    reversed_minor = fields.Integer()
    adjusted_minor = fields.Integer()
    declined_minor = fields.Integer()
    paid_minor = fields.Integer()
    rewards = fields.Integer()
    entries = fields.Integer()


class RewardsRowSchema(_Measures):
    """A group, with the members that it was asked to be grouped by."""

    partner_id = PublicId("par", metadata=SOMETIMES)
    program_id = PublicId("prg", metadata=SOMETIMES)
    rule_id = PublicId("rul", metadata=SOMETIMES)
    month = Month(metadata=SOMETIMES)
    status = Choice(STATUSES, metadata=SOMETIMES)


class RewardsReportSchema(_Converted):
    """Rewards summed by whatever one wants to see them by."""

    rows_member = "data"
    has_pages = True
    columns_for = staticmethod(lambda query: grouping.columns(query["group_by"]))

    group_by = fields.List(fields.String())
    data = fields.List(fields.Nested(RewardsRowSchema))
    next_cursor = fields.String(allow_none=True)


class SeriesRowSchema(_Measures):
    """An interval, by its first day."""

    period = fields.Date()


class SeriesSchema(_Converted):
    """Rewards interval by interval, those without any too."""

    rows_member = "data"

    interval = fields.String()
    timezone = fields.String()
    from_ = Instant(data_key="from", attribute="from")
    before = Instant()
    data = fields.List(fields.Nested(SeriesRowSchema))


class LeaderSchema(Schema):
    """A partner's place; `amount_minor` or `count`, as the metric is money or a number."""

    rank = fields.Integer()
    partner_id = PublicId("par")
    partner_name = fields.String(allow_none=True)
    currency = fields.String(allow_none=True)
    amount_minor = fields.Integer(allow_none=True)
    count = fields.Integer(allow_none=True)


class LeaderboardSchema(_Converted):
    """The partners that came first."""

    rows_member = "data"

    metric = fields.String()
    from_ = fields.Date(data_key="from", attribute="from", allow_none=True)
    before = fields.Date(allow_none=True)
    data = fields.List(fields.Nested(LeaderSchema))


class StatementBalanceSchema(Schema):
    """What was owed when the month began, what changed it, what is owed when it ends."""

    currency = fields.String()
    opening_minor = fields.Integer()
    earned_minor = fields.Integer()
    reversed_minor = fields.Integer()
    adjusted_minor = fields.Integer()
    declined_minor = fields.Integer()
    paid_minor = fields.Integer()
    closing_minor = fields.Integer()


class StatementLineSchema(Schema):
    """An entry that changed what is owed."""

    happened_at = Instant()
    posted_at = Instant()
    effect = Choice(EFFECTS)
    amount_minor = fields.Integer()
    currency = fields.String()
    reward_id = PublicId("rew")
    chargebee_invoice_id = fields.String()
    reason = fields.String(allow_none=True)
    actor = fields.String(allow_none=True)


class StatementSchema(Schema):
    """A partner's month."""

    rows_member = "lines"
    has_pages = True

    partner_id = PublicId("par")
    month = Month()
    timezone = fields.String()
    from_ = Instant(data_key="from", attribute="from")
    before = Instant()
    as_of = Instant(allow_none=True)
    currencies = fields.List(fields.Nested(StatementBalanceSchema))
    lines = fields.List(fields.Nested(StatementLineSchema))
    next_cursor = fields.String(allow_none=True)


class OwedSchema(Schema):
    """What is owed, by where it stands; what partners owe is below zero."""

    currency = fields.String()
    pending_minor = fields.Integer()
    held_minor = fields.Integer()
    approved_minor = fields.Integer()
    in_payout_minor = fields.Integer()
    owed_back_minor = fields.Integer()
    total_minor = fields.Integer()


class OwedToSchema(OwedSchema):
    """What is owed to one partner."""

    partner_id = PublicId("par")


class LiabilitySchema(_Converted):
    """What is owed to partners."""

    rows_member = "data"
    has_pages = True

    as_of = Instant(allow_none=True)
    totals = fields.List(fields.Nested(OwedSchema))
    data = fields.List(fields.Nested(OwedToSchema))
    next_cursor = fields.String(allow_none=True)


class ConversionTotalSchema(Schema):
    """What became of what was registered; rates are of that."""

    registered = fields.Integer()
    converted = fields.Integer()
    paid = fields.Integer()
    conversion_rate = fields.String(allow_none=True)
    payment_rate = fields.String(allow_none=True)
    median_days_to_conversion = fields.String(allow_none=True)
    median_days_to_payment = fields.String(allow_none=True)


class ConversionRowSchema(ConversionTotalSchema):
    """The same for one partner; null: nobody's."""

    partner_id = PublicId("par", allow_none=True)


class ConversionReportSchema(Schema):
    """From registration to the first payment."""

    rows_member = "data"
    has_pages = True

    from_ = Instant(data_key="from", attribute="from", allow_none=True)
    before = Instant(allow_none=True)
    kind = fields.String(allow_none=True)
    total = fields.Nested(ConversionTotalSchema)
    data = fields.List(fields.Nested(ConversionRowSchema))
    next_cursor = fields.String(allow_none=True)
