"""/api/v1/transactions/{id}/explanation: what a payment earned, or why it earned nothing."""

from typing import Any

from marshmallow import Schema, fields

from rewards_service.kit.fields import PublicId
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.rewards.schemas import RuleUsedSchema, SkippedRuleSchema, StepSchema
from rewards_service.rewards.why import explain_payment

blueprint = Resource("transaction-explanations", "Why a payment earned what it did")


class RuleOutcomeSchema(Schema):
    """What a rule comes to for an invoice, step by step; `reason` when that is nothing."""

    rule = fields.Nested(RuleUsedSchema)
    partner_id = PublicId("par")
    amount_minor = fields.Integer()
    reason = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))
    text = fields.String()


class InvoiceOutcomeSchema(Schema):
    """An invoice that the payment was applied to, and each rule that looked at it."""

    chargebee_invoice_id = fields.String()
    applied_minor = fields.Integer()
    currency = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    reward_ids = fields.List(PublicId("rew"))
    rules = fields.List(fields.Nested(RuleOutcomeSchema))
    skipped_rules = fields.List(fields.Nested(SkippedRuleSchema))
    text = fields.String()


class PaymentExplanationSchema(Schema):
    """What became of a payment; who reads `text` can redo the sums by hand."""

    transaction_id = PublicId("txn")
    reason = fields.String(allow_none=True)
    invoices = fields.List(fields.Nested(InvoiceOutcomeSchema))
    text = fields.String()


@blueprint.operation(
    "GET", "/transactions/<transaction_id>/explanation", scope="transactions:read",
    answer=PaymentExplanationSchema,
)  # fmt: skip
def explain_transaction(transaction_id: str) -> Any:
    """What a payment earned by which rule, and why it earned nothing if it did not."""
    return explain_payment(current_session(), path_key("txn", transaction_id))
