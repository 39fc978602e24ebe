"""Backfills, and the cost of the past, as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.kit.fields import Instant, PublicId


class BackfillListSchema(Schema):
    """One list of Chargebee's API: how many objects it showed, which of them were news."""

    kind = fields.String()
    is_over = fields.Boolean()
    listed = fields.Integer()
    kept = fields.Integer()
    refused = fields.Integer()
    pages = fields.Integer()


class BackfillSchema(Schema):
    """How far the history of an integration was fetched, and what is still to be posted of it."""

    integration_id = PublicId("int")
    state = fields.String()
    error = fields.String(allow_none=True)
    lists = fields.List(fields.Nested(BackfillListSchema))
    started_at = Instant()
    fetched_at = Instant(allow_none=True)
    posted_at = Instant(allow_none=True)
    posted_events = fields.Integer()
    unposted_payments = fields.Integer(allow_none=True)


class CostSchema(Schema):
    """Minor units of a currency."""

    currency = fields.String()
    amount_minor = fields.Integer()


class PartnerCostSchema(CostSchema):
    """What a partner would get."""

    partner_id = PublicId("par")
    reward_count = fields.Integer()


class PastRewardsSchema(Schema):
    """What rewards for the past would cost."""

    integration_id = PublicId("int")
    payment_count = fields.Integer()
    recorded_count = fields.Integer()
    quarantined_count = fields.Integer()
    totals = fields.List(fields.Nested(CostSchema))
    partners = fields.List(fields.Nested(PartnerCostSchema))
