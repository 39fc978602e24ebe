"""Payouts as the API takes and shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from rewards_service.kit.fields import (
    SOMETIMES,
    Choice,
    Currency,
    Day,
    Flag,
    Instant,
    Number,
    NumberText,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.payouts.fields import Base64
from rewards_service.payouts.invoices import SIGNATURES
from rewards_service.payouts.models import FORMATS, PROBLEMS, STATUSES
from rewards_service.payouts.statement import LEFT_OUT

MAX_PARTNERS, MAX_EXPORTED = 10_000, 30_000
LONGEST_REASON = 1_000


class PayoutRequestSchema(StrictSchema):
    """What payouts are to be made of."""

    partner_ids = fields.List(
        PublicId("par"), allow_none=True, load_default=None,
        validate=validate.Length(1, MAX_PARTNERS),
    )  # fmt: skip
    currency = Currency(required=True)
    cut_off = Day(required=True)
    threshold_minor = Number(load_default=0)
    dry_run = Flag(load_default=False)


class UsedRateSchema(Schema):
    """What was converted at one rate."""

    amount_minor = fields.Integer()
    rate = fields.String()
    rate_on = fields.Date()
    rate_source = fields.String()


class ConversionSchema(Schema):
    """How the total became what is paid."""

    rates = fields.List(fields.Nested(UsedRateSchema))
    exact_minor = fields.String()
    text = fields.String()


class ExportedSchema(Schema):
    """A file that was handed out."""

    format = Choice(FORMATS)
    part = fields.Integer()
    parts = fields.Integer()
    file_name = fields.String()
    sha256 = fields.String()
    actor = fields.String()
    at = Instant()


class LineSchema(Schema):
    """One reward of a payout."""

    reward_id = PublicId("rew")
    chargebee_invoice_id = fields.String()
    amount_minor = fields.Integer()
    currency = fields.String()
    pay_amount_minor = fields.Integer(allow_none=True)
    pay_currency = fields.String()
    rate = fields.String(allow_none=True)
    rate_on = fields.Date(allow_none=True)
    rate_source = fields.String(allow_none=True)


class PayoutSchema(Schema):
    """What one partner gets in one currency."""

    id = PublicId("pay", allow_none=True)
    partner_id = PublicId("par")
    currency = fields.String()
    cut_off = fields.Date()
    status = Choice(STATUSES)
    problem = Choice(PROBLEMS, allow_none=True)
    total_minor = fields.Integer()
    line_count = fields.Integer()
    pay_currency = fields.String()
    pay_total_minor = fields.Integer(allow_none=True)
    conversion = fields.Nested(ConversionSchema, allow_none=True)
    invoice_number = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    ready_at = Instant(allow_none=True)
    paid_at = Instant(allow_none=True)
    schedule_id = PublicId("sch", allow_none=True)
    ledger_sha256 = fields.String()
    exports = fields.List(fields.Nested(ExportedSchema))
    lines = fields.List(fields.Nested(LineSchema), metadata=SOMETIMES)
    created_at = Instant()
    updated_at = Instant()


class LeftOutSchema(Schema):
    """A partner without payout, and why."""

    partner_id = PublicId("par")
    reason = Choice((*LEFT_OUT, "not_positive"))
    balance_minor = fields.Integer()
    currency = fields.String()


class PayoutsMadeSchema(Schema):
    """What was made, and who was left out."""

    data = fields.List(fields.Nested(PayoutSchema))
    left_out = fields.List(fields.Nested(LeftOutSchema))
    dry_run = fields.Boolean()


class PayoutQuerySchema(ListQuery):
    partner_id = PublicId("par")
    status = Choice(STATUSES)
    currency = Currency()


class LineQuerySchema(ListQuery):
    """A page of lines."""


class PaidSchema(StrictSchema):
    """How a payout was paid."""

    paid_on = Day(load_default=lambda: datetime.now(UTC).date())
    reference = Text(allow_none=True, load_default=None)


class CancelSchema(StrictSchema):
    """Why a payout is given up."""

    reason = Text(longest=LONGEST_REASON, allow_none=True, load_default=None)


class InvoiceSchema(StrictSchema):
    """A partner's invoice."""

    invoice_number = Text(required=True)
    document = Base64()
    media_type = Choice(tuple(SIGNATURES))

    @validates_schema
    def _both_or_neither(self, body: Mapping[str, Any], **_: Any) -> None:
        if ("document" in body) != ("media_type" in body):
            raise ValidationError("document and media_type belong together.", "document")


class ExportQuerySchema(StrictSchema):
    format = Choice(FORMATS, required=True)
    part = NumberText(least=1, most=MAX_EXPORTED, load_default=1)


class ExportManySchema(StrictSchema):
    """Which payouts go into one file."""

    ids = fields.List(PublicId("pay"), required=True, validate=validate.Length(1, MAX_EXPORTED))
    format = Choice(FORMATS, required=True)
    part = Number(least=1, most=MAX_EXPORTED, load_default=1)


class BalanceQuerySchema(StrictSchema):
    partner_id = PublicId("par", required=True)


class BalanceSchema(Schema):
    """What stands to a partner's credit in one currency."""

    currency = fields.String()
    pending_minor = fields.Integer()
    approved_minor = fields.Integer()
    available_minor = fields.Integer()
    in_payout_minor = fields.Integer()
    paid_minor = fields.Integer()
    owed_back_minor = fields.Integer()


class BalancesSchema(Schema):
    """A partner's balances, by currency."""

    partner_id = PublicId("par")
    as_of = fields.Date()
    balances = fields.List(fields.Nested(BalanceSchema))


PayoutPageSchema = page_schema("PayoutPage", PayoutSchema)
LinePageSchema = page_schema("PayoutLinePage", LineSchema)
