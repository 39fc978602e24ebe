"""Conflicts as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.crm.conflicts import KINDS, STATES
from rewards_service.kit.fields import Choice, Flag, Instant, PublicId, StrictSchema
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.webhooks.resolving import DECISIONS
from rewards_service.webhooks.workbench_schemas import RewardChangeSchema, reason_field


class AtStakeSchema(Schema):
    """What is on hold in a currency."""

    currency = fields.String()
    amount_minor = fields.Integer()


class ConflictSchema(Schema):
    """Something that a person must decide."""

    id = PublicId("cfl")
    kind = fields.String()
    state = fields.String()
    subject = fields.String(metadata={"description": "Id of what it is about"})
    candidates = fields.Dict()
    opened_at = Instant()
    resolved_at = Instant(allow_none=True)
    resolved_by = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    decision = fields.Dict(allow_none=True)


class EvidencePartnerSchema(Schema):
    """A partner that a conflict concerns."""

    id = PublicId("par")
    name = fields.String()
    status = fields.String()


class EvidenceLeadSchema(Schema):
    """A lead that a conflict concerns."""

    id = PublicId("led")
    status = fields.String()
    partner_id = PublicId("par", allow_none=True)
    customer_id = PublicId("cus", allow_none=True)
    registered_at = Instant()
    converted_at = Instant(allow_none=True)


class EvidenceDealSchema(Schema):
    """A deal that a conflict concerns."""

    id = PublicId("dea")
    name = fields.String()
    stage = fields.String()
    partner_id = PublicId("par", allow_none=True)
    customer_id = PublicId("cus", allow_none=True)
    registered_at = Instant()
    associated_at = Instant(allow_none=True)


class EvidenceCustomerSchema(Schema):
    """A customer that a conflict concerns."""

    id = PublicId("cus")
    name = fields.String(allow_none=True)
    source_partner_id = PublicId("par", allow_none=True)
    hold_reason = fields.String(allow_none=True)
    pinned = fields.Boolean()
    matched_at = Instant(allow_none=True)
    created_at = Instant()


class EvidenceSchema(Schema):
    """Who is concerned, and what of their rewards is on hold."""

    leads = fields.List(fields.Nested(EvidenceLeadSchema))
    deals = fields.List(fields.Nested(EvidenceDealSchema))
    customers = fields.List(fields.Nested(EvidenceCustomerSchema))
    partners = fields.List(fields.Nested(EvidencePartnerSchema))
    on_hold = fields.List(fields.Nested(AtStakeSchema))


class ConflictWithEvidenceSchema(ConflictSchema):
    """A conflict with all that speaks for the one or the other."""

    decisions = fields.List(fields.String(), metadata={"description": "Those it allows"})
    evidence = fields.Nested(EvidenceSchema)


class ConflictQuerySchema(ListQuery):
    kind = Choice(KINDS)
    state = Choice(STATES)


class ResolveSchema(StrictSchema):
    """What is decided, and why."""

    decision = Choice(DECISIONS, required=True)
    partner_id = PublicId("par")
    customer_id = PublicId("cus")
    reason = reason_field(required=True)
    dry_run = Flag(load_default=False)


class ResolvedSchema(ConflictSchema):
    """The conflict and what the decision did to rewards, or would do."""

    dry_run = fields.Boolean()
    rewards = fields.List(fields.Nested(RewardChangeSchema))


ConflictPageSchema = page_schema("ConflictPage", ConflictSchema)
