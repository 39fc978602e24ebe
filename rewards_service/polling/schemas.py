"""Readings of the event log, and gaps, as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.kit.fields import Choice, Instant, PublicId, StrictSchema
from rewards_service.polling.gaps import PERIODS


class PollOrderSchema(StrictSchema):
    """Where to begin, if earlier than the last reading ended."""

    may_be_absent = True

    since = Instant()


class PollReportSchema(Schema):
    """What one reading of the event log came to."""

    integration_id = PublicId("int")
    first_at = Instant(metadata={"description": "Where in the log it began"})
    cursor_at = Instant(metadata={"description": "All that occurred until then is held"})
    read = fields.Integer(metadata={"description": "Events read"})
    new = fields.Integer(metadata={"description": "Events that no webhook had brought"})
    unreadable = fields.Integer()
    complete = fields.Boolean(metadata={"description": "The end of the log was reached"})
    may_miss = fields.Boolean(
        metadata={"description": "It began before what Chargebee surely keeps, 90 days"}
    )


class GapQuerySchema(StrictSchema):
    """Which events, by when they occurred: those of the last 7 days when left out."""

    occurred_from = Instant(data_key="occurred_at[gte]")
    occurred_before = Instant(data_key="occurred_at[lt]")
    by = Choice(tuple(PERIODS), load_default="day")


class GapCountsSchema(Schema):
    missed = fields.Integer()
    late = fields.Integer()
    expected = fields.Integer()


class GapPeriodSchema(GapCountsSchema):
    period = fields.String()


class GapEventSchema(Schema):
    """An event that the webhook did not bring."""

    id = PublicId("evt")
    event_id = fields.String()
    event_type = fields.String()
    occurred_at = Instant(allow_none=True)
    received_at = Instant()


class SilenceSchema(Schema):
    """When the webhook last brought anything; `silent_since` when it misses events since."""

    last_at = Instant(allow_none=True)
    silent_since = Instant(allow_none=True)


class GapReportSchema(Schema):
    """What the event log brought because the webhook did not, or not in time."""

    integration_id = PublicId("int")
    from_ = Instant(attribute="from", data_key="from")
    to = Instant(allow_none=True)
    webhook = fields.Nested(SilenceSchema)
    totals = fields.Nested(GapCountsSchema)
    periods = fields.List(fields.Nested(GapPeriodSchema))
    events = fields.List(fields.Nested(GapEventSchema))
