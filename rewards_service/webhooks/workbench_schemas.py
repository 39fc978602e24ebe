"""What the workbench asks and answers."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from rewards_service.crm.schemas import LONGEST_REASON, CustomerSchema
from rewards_service.inbox.schemas import ResultsSchema
from rewards_service.kit.fields import Flag, Instant, PublicId, StrictSchema, Text


def reason_field(**kwargs: Any) -> Text:
    """Why a person does something, for the audit log."""
    return Text(longest=LONGEST_REASON, lines=True, **kwargs)


class RewardChangeSchema(Schema):
    """What a partner has for an invoice under a rule, before and after; `text` explains the sum."""

    partner_id = PublicId("par")
    integration_id = PublicId("int")
    chargebee_invoice_id = fields.String()
    currency = fields.String()
    before_minor = fields.Integer()
    after_minor = fields.Integer()
    amount_minor = fields.Integer(metadata={"description": "The difference"})
    status = fields.String()
    hold_reason = fields.String(allow_none=True)
    text = fields.String()


class AttachSchema(StrictSchema):
    """Whose a payment is: exactly one of the three, and why."""

    lead_id = PublicId("led")
    deal_id = PublicId("dea")
    customer_id = PublicId("cus")
    reason = reason_field(required=True)
    dry_run = Flag(load_default=False)

    @validates_schema
    def check_choice(self, given: dict[str, Any], **_kwargs: Any) -> None:
        if sum(name in given for name in ("lead_id", "deal_id", "customer_id")) != 1:
            raise ValidationError("Give exactly one of lead_id, deal_id, customer_id.", "lead_id")


class RecordedSchema(Schema):
    """A payment that is recorded now; `reason` says why it earns nothing."""

    chargebee_transaction_id = fields.String()
    amount_minor = fields.Integer()
    currency = fields.String()
    occurred_at = Instant()
    reason = fields.String(allow_none=True)


class AttachedSchema(Schema):
    """What came of it, or would: ids of what a dry run made are null."""

    dry_run = fields.Boolean()
    state = fields.String()
    outcome = fields.String(allow_none=True)
    results = fields.Nested(ResultsSchema)
    customer_id = PublicId("cus", allow_none=True)
    customer_is_new = fields.Boolean()
    transactions = fields.List(fields.Nested(RecordedSchema))
    rewards = fields.List(fields.Nested(RewardChangeSchema))


class ReplaySchema(StrictSchema):
    """Another try of an event."""

    reason = reason_field()
    dry_run = Flag(load_default=False)


class EventStandSchema(Schema):
    """How an event ended."""

    state = fields.String()
    outcome = fields.String(allow_none=True)
    error = fields.String(allow_none=True)


class ReplayedSchema(Schema):
    """How the event ends now, or would; `before`: how it ended until now."""

    dry_run = fields.Boolean()
    state = fields.String()
    outcome = fields.String(allow_none=True)
    error = fields.String(allow_none=True)
    results = fields.Nested(ResultsSchema)
    before = fields.Nested(EventStandSchema)
    changed = fields.Boolean()
    rewards = fields.List(fields.Nested(RewardChangeSchema))


class NearLeadSchema(Schema):
    """A lead that resembles the payer."""

    id = PublicId("led")
    email = fields.String()
    status = fields.String()
    partner_id = PublicId("par", allow_none=True)
    registered_at = Instant()
    why = fields.List(fields.String())
    attachable = fields.Boolean()


class NearDealSchema(Schema):
    """A deal whose contact resembles the payer."""

    id = PublicId("dea")
    name = fields.String()
    contact_email = fields.String(allow_none=True)
    stage = fields.String()
    partner_id = PublicId("par", allow_none=True)
    registered_at = Instant()
    why = fields.List(fields.String())
    attachable = fields.Boolean()


class NearCustomerSchema(Schema):
    """A customer that resembles the payer."""

    id = PublicId("cus")
    name = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    source_partner_id = PublicId("par", allow_none=True)
    why = fields.List(fields.String())
    attachable = fields.Boolean()


class NearMissesSchema(Schema):
    """What a payment almost matched; `customer_id`: whose it is, if anybody's."""

    customer_id = PublicId("cus", allow_none=True)
    leads = fields.List(fields.Nested(NearLeadSchema))
    deals = fields.List(fields.Nested(NearDealSchema))
    customers = fields.List(fields.Nested(NearCustomerSchema))


class PartnerTotalSchema(Schema):
    """What changes for a partner in a currency."""

    partner_id = PublicId("par")
    currency = fields.String()
    amount_minor = fields.Integer()


class ChangedCustomerSchema(CustomerSchema):
    """A customer after a change, and what the change did to rewards, or would do."""

    dry_run = fields.Boolean(dump_only=True)
    reward_changes = fields.List(fields.Nested(RewardChangeSchema), dump_only=True)
    reward_totals = fields.List(fields.Nested(PartnerTotalSchema), dump_only=True)
    kept_invoice_ids = fields.List(fields.String(), dump_only=True)
