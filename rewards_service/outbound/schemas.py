"""Webhook endpoints and what is sent to them, as the API takes and shows them."""

from marshmallow import Schema, fields, validate

from rewards_service.kit.addresses import LONGEST_URL
from rewards_service.kit.fields import (
    BY_ITSELF,
    Choice,
    Flag,
    Instant,
    Number,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.outbound.event_types import ALL, EVENT_TYPES, TEST
from rewards_service.outbound.models import DISABLED_REASONS, STATES

LONGEST_GRACE_HOURS = 24 * 7


class EndpointHealthSchema(Schema):
    """How the deliveries to an endpoint go."""

    pending = fields.Integer()
    oldest_pending_at = Instant(allow_none=True)
    last_success_at = Instant(allow_none=True)
    last_failure_at = Instant(allow_none=True)
    failing_since = Instant(allow_none=True)
    paused_until = Instant(allow_none=True)


class EndpointWarningSchema(Schema):
    """Something about an endpoint that a person should look after."""

    code = fields.String()
    detail = fields.String()


class WebhookEndpointSchema(StrictSchema):
    """An address that is told of what happens."""

    id = PublicId("whe", dump_only=True)
    url = Text(longest=LONGEST_URL, required=True, metadata={"format": "uri"})
    events = fields.List(
        Choice((ALL, *EVENT_TYPES)), required=True, validate=validate.Length(1, 50),
        metadata={"description": "Types of events to be told of; * for all, also new ones."},
    )  # fmt: skip
    description = Text(shortest=0, longest=200, load_default="")
    enabled = Flag(load_default=True)
    disabled_reason = Choice(DISABLED_REASONS, dump_only=True, allow_none=True)
    disabled_at = Instant(dump_only=True, allow_none=True)
    previous_secret_expires_at = Instant(dump_only=True, allow_none=True)
    health = fields.Nested(EndpointHealthSchema, dump_only=True, metadata=BY_ITSELF)
    warnings = fields.List(fields.Nested(EndpointWarningSchema), dump_only=True, metadata=BY_ITSELF)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class NewWebhookEndpointSchema(WebhookEndpointSchema):
    """An endpoint with its new secret: the only time that is shown."""

    secret = fields.String(dump_only=True)


class SecretRotationSchema(StrictSchema):
    """How long the secret until now signs beside the new one."""

    may_be_absent = True

    grace_hours = Number(least=0, most=LONGEST_GRACE_HOURS, load_default=24)


class AttemptSchema(Schema):
    """One try to deliver: the status of the answer, or the code and text of why there was none."""

    number = fields.Integer()
    at = Instant()
    duration_ms = fields.Integer()
    status = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    excerpt = fields.String(
        allow_none=True, metadata={"description": "The beginning of what was answered."}
    )


class DeliverySchema(Schema):
    """One event for one endpoint. `message_id` is what the header webhook-id carries."""

    id = PublicId("whd")
    webhook_endpoint_id = PublicId("whe")
    message_id = fields.String()
    event_type = Choice((*EVENT_TYPES, TEST))
    subject = fields.String(metadata={"description": "The id of what the event is about."})
    state = Choice(STATES)
    attempts = fields.Integer()
    next_attempt_at = Instant(allow_none=True)
    created_at = Instant()
    finished_at = Instant(allow_none=True)
    log = fields.List(fields.Nested(AttemptSchema))


class OneDeliverySchema(DeliverySchema):
    """A delivery with what is sent."""

    body = fields.Dict()


class QueuedEventSchema(Schema):
    """The type of the event that will be sent."""

    event_type = fields.String()


class DeliveryQuerySchema(ListQuery):
    state = Choice(STATES)


class AllDeliveriesQuerySchema(DeliveryQuerySchema):
    endpoint_id = PublicId("whe", data_key="webhook_endpoint_id")


WebhookEndpointPageSchema = page_schema("WebhookEndpointPage", WebhookEndpointSchema)
DeliveryPageSchema = page_schema("DeliveryPage", DeliverySchema)
