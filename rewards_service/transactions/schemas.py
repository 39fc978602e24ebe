"""Transactions as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.kit.fields import Choice, Instant, PublicId, Text
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.transactions.models import STATUSES


class AllocationSchema(Schema):
    """How much of a payment an invoice got."""

    chargebee_invoice_id = fields.String()
    amount_minor = fields.Integer()


class TransactionPropertiesSchema(Schema):
    """Properties of a transaction; the invoice is the first linked one."""

    chargebee_transaction_id = fields.String(allow_none=True)
    chargebee_invoice_id = fields.String(allow_none=True)


class TransactionSchema(Schema):
    """A payment of a known customer. It follows what Chargebee says; nobody writes it."""

    id = PublicId("txn")
    customer_id = PublicId("cus", allow_none=True)
    partner_id = PublicId("par", allow_none=True)
    integration_id = PublicId("int")
    amount_minor = fields.Integer()
    currency = fields.String()
    base_currency = fields.String(allow_none=True)
    exchange_rate = fields.String(allow_none=True)
    occurred_at = Instant()
    allocations = fields.List(fields.Nested(AllocationSchema))
    status = Choice(STATUSES)
    refunded_minor = fields.Integer()
    properties = fields.Nested(TransactionPropertiesSchema)
    chargebee_invoice_ids = fields.List(fields.String())
    reward_ids = fields.List(PublicId("rew"))
    reason = fields.String(
        allow_none=True, metadata={"description": "Why it earned nothing; null when it earned."}
    )
    created_at = Instant()


class TransactionQuerySchema(ListQuery):
    customer_id = PublicId("cus")
    partner_id = PublicId("par")
    chargebee_transaction_id = Text()
    chargebee_invoice_id = Text()
    occurred_from = Instant(data_key="occurred_at[gte]")
    occurred_before = Instant(data_key="occurred_at[lt]")


TransactionPageSchema = page_schema("TransactionPage", TransactionSchema)
