"""Rewards as the API shows them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates

from rewards_service.kit.fields import (
    Choice,
    Currency,
    Day,
    Instant,
    Number,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.rewards.listing import MOVE
from rewards_service.rewards.models import ENTRY_KINDS, STATUSES

# Action -> the status it leads to.
ACTIONS = {"approve": "approved", "decline": "declined", "hold": "hold", "release": "pending"}
# Other names under which a status is asked for: Kiflo's (DOMAIN V2).
SYNONYMS = {"accepted": "approved"}
LONGEST_REASON = 1_000
MOST_AT_ONCE = 200
MOST_ADJUSTED = 10**15  # sums of thousands of them still fit a bigint


class StatusName(Choice):
    """A status; `accepted` finds what is approved."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__((*STATUSES, *SYNONYMS), **kwargs)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().deserialize(value, *args, **kwargs)
        return SYNONYMS.get(found, found)


class EntrySchema(Schema):
    """One posting to a reward."""

    kind = Choice(ENTRY_KINDS)
    amount_minor = fields.Integer()
    cause_event = PublicId("evt", allow_none=True)
    reason = fields.String(allow_none=True)
    actor = fields.String(allow_none=True)
    at = Instant()


class RewardSchema(Schema):
    """What a partner earns on an invoice; its amount is the sum of its entries."""

    id = PublicId("rew")
    partner_id = PublicId("par")
    customer_id = PublicId("cus", allow_none=True)
    transaction_id = PublicId(
        "txn", allow_none=True, metadata={"description": "The earliest payment."}
    )
    transaction_ids = fields.List(PublicId("txn"))
    chargebee_invoice_id = fields.String()
    rule_id = PublicId("rul", allow_none=True)
    rule_version = fields.Integer()
    seq = fields.Integer()
    amount_minor = fields.Integer()
    currency = fields.String()
    status = Choice(STATUSES)
    hold_reason = fields.String(allow_none=True)
    hold_until_on = fields.Date(allow_none=True)
    flags = fields.List(fields.String())
    available_on = fields.Date()
    entries = fields.List(fields.Nested(EntrySchema))
    created_at = Instant()


class RewardQuerySchema(ListQuery):
    status = StatusName()
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


class DecisionSchema(StrictSchema):
    """Why; a body is not needed."""

    may_be_absent = True

    reason = Text(longest=LONGEST_REASON, lines=True)


class RefusalSchema(StrictSchema):
    """Why."""

    reason = Text(longest=LONGEST_REASON, lines=True, required=True)


class HoldSchema(RefusalSchema):
    """Why, and the last day of the hold if it is to end by itself."""

    until = Day(allow_none=True)


class BulkSchema(StrictSchema):
    """One action on many rewards."""

    ids = fields.List(PublicId("rew"), required=True, validate=validate.Length(1, MOST_AT_ONCE))
    action = Choice(tuple(ACTIONS), required=True)
    reason = Text(longest=LONGEST_REASON, lines=True)
    until = Day(allow_none=True)


class BulkResultSchema(Schema):
    """What became of one reward; `code` and `detail` are those of the error it was refused with."""

    id = PublicId("rew")
    ok = fields.Boolean()
    status = Choice(STATUSES, allow_none=True)
    code = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)


class BulkAnswerSchema(Schema):
    """One result for each id, in their order."""

    results = fields.List(fields.Nested(BulkResultSchema))


class AdjustmentSchema(RefusalSchema):
    """What to add by hand, or to take away."""

    amount_minor = Number(
        least=-MOST_ADJUSTED, most=MOST_ADJUSTED, required=True,
        beyond=f"At most {MOST_ADJUSTED:,} minor units are added or taken at once.",
    )  # fmt: skip

    @validates("amount_minor")
    def _check_amount(self, value: int, **_: Any) -> None:
        if value == 0:
            raise ValidationError("Must not be 0.")


class ActivitySchema(Schema):
    """An entry, or a move from one status to another (`kind` is then `status`)."""

    at = Instant()
    kind = Choice((MOVE, *ENTRY_KINDS))
    from_status = Choice(STATUSES, allow_none=True, dump_default=None)
    to_status = Choice(STATUSES, allow_none=True, dump_default=None)
    amount_minor = fields.Integer(allow_none=True, dump_default=None)
    cause_event = PublicId("evt", allow_none=True, dump_default=None)
    reason = fields.String(allow_none=True)
    actor = fields.String()


class ActivityListSchema(Schema):
    """Everything that happened to a reward, the oldest first."""

    rows_member = "data"

    data = fields.List(fields.Nested(ActivitySchema))


RewardPageSchema = page_schema("RewardPage", RewardSchema)
