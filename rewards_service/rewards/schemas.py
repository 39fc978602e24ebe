"""Rewards as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.kit.fields import Choice, Currency, Instant, PublicId, Text
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.rewards.models import ENTRY_KINDS, STATUSES


class EntrySchema(Schema):
    """One posting to a reward."""

    kind = Choice(ENTRY_KINDS)
    amount_minor = fields.Integer()
    cause_event = PublicId("evt", allow_none=True)
    at = Instant()


class RewardSchema(Schema):
    """What a partner earns on an invoice; its amount is the sum of its entries."""

    id = PublicId("rew")
    partner_id = PublicId("par")
    customer_id = PublicId("cus")
    transaction_id = PublicId("txn", metadata={"description": "The earliest payment."})
    transaction_ids = fields.List(PublicId("txn"))
    chargebee_invoice_id = fields.String()
    rule_id = PublicId("rul")
    rule_version = fields.Integer()
    seq = fields.Integer()
    amount_minor = fields.Integer()
    currency = fields.String()
    status = Choice(STATUSES)
    hold_reason = fields.String(allow_none=True)
    available_on = fields.Date()
    entries = fields.List(fields.Nested(EntrySchema))
    created_at = Instant()


class RewardQuerySchema(ListQuery):
    status = Choice(STATUSES)
    partner_id = PublicId("par")
    customer_id = PublicId("cus")
    currency = Currency()
    chargebee_invoice_id = Text()
    created_from = Instant(data_key="created_at[gte]")
    created_before = Instant(data_key="created_at[lt]")


class StepSchema(Schema):
    """One step of a calculation."""

    label = fields.String()
    detail = fields.String()
    value_minor = fields.Integer(allow_none=True)


class RuleUsedSchema(Schema):
    """The rule version that was used."""

    id = fields.String()
    version = fields.Integer()


class SkippedRuleSchema(Schema):
    """A rule that did not pay, and why."""

    rule_id = fields.String()
    reason = fields.String()


class ExplanationSchema(Schema):
    """How a reward came about; who reads `text` can redo the sum by hand."""

    reward_id = PublicId("rew")
    steps = fields.List(fields.Nested(StepSchema))
    inputs = fields.Dict()
    rule = fields.Nested(RuleUsedSchema, allow_none=True)
    skipped_rules = fields.List(fields.Nested(SkippedRuleSchema))
    text = fields.String()


RewardPageSchema = page_schema("RewardPage", RewardSchema)
