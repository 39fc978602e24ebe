"""Integrations as the API shows them."""

import re
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from rewards_service.integrations.options import (
    CONFLICT_POLICIES,
    HIERARCHIES,
    MODES,
    VERIFY_MODES,
)
from rewards_service.kit.fields import (
    BY_ITSELF,
    Amounts,
    Choice,
    Described,
    Flag,
    Instant,
    Number,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import page_schema

KINDS = ("chargebee",)
LONGEST_GRACE_HOURS = 24 * 30
LEAST_REQUESTS, MOST_REQUESTS = 10, 100_000  # a minute


_SITE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")


def is_site(text: str) -> bool:
    """Whether a text can be the name of a site, and so can lead to no other host."""
    return _SITE.fullmatch(text) is not None


class Site(fields.String):
    """The first part of `yourcompany.chargebee.com`."""

    described: ClassVar[Described] = {"pattern": f"^{_SITE.pattern.replace('?:', '')}$"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not is_site(value):
            raise ValidationError(
                "Not a site: it is the first part of yourcompany.chargebee.com, in lower-case "
                "letters, digits and hyphens."
            )
        return value


class OptionsSchema(StrictSchema):
    """What a successful payment does. What is left out stays as it is; at first, all three on."""

    convert_lead = Flag()
    associate_deal = Flag()
    create_transaction = Flag()
    hierarchy = Choice(HIERARCHIES)
    conflict = Choice(CONFLICT_POLICIES)


class VerificationSchema(StrictSchema):
    """Which events are asked for at Chargebee before anything follows from them."""

    mode = Choice(VERIFY_MODES)
    above_minor = Amounts(allow_none=True)


class PollProblemSchema(Schema):
    """Why the event log cannot be read."""

    code = fields.String()
    detail = fields.String()
    since = Instant()


class PollingHealthSchema(Schema):
    """How the reading of the event log goes: `well`, `failing`, `never` yet, or `no_api_key`."""

    state = fields.String()
    last_at = Instant(allow_none=True)
    cursor_at = Instant(allow_none=True)
    problem = fields.Nested(PollProblemSchema, allow_none=True)


class WebhookHealthSchema(Schema):
    """What the webhook brings, as seen from the event log."""

    last_at = Instant(allow_none=True)
    silent_since = Instant(allow_none=True)
    missed_24h = fields.Integer()
    late_24h = fields.Integer()


class HealthSchema(Schema):
    """How the event log of an integration stands."""

    last_event_at = Instant(allow_none=True)
    received_24h = fields.Integer()
    failed_24h = fields.Integer()
    pending = fields.Integer()
    oldest_pending_s = fields.Integer(allow_none=True)
    polling = fields.Nested(PollingHealthSchema)
    webhook = fields.Nested(WebhookHealthSchema)


class WarningSchema(Schema):
    """Something about the connected site that a person should put right."""

    code = fields.String()
    detail = fields.String()


class IntegrationSchema(StrictSchema):
    """A connected Chargebee site."""

    id = PublicId("int", dump_only=True)
    kind = Choice(KINDS, load_default=KINDS[0])
    site = Site(required=True)
    name = Text()
    options = fields.Nested(OptionsSchema)
    mode = Choice(MODES)
    verification = fields.Nested(VerificationSchema)
    api_key = Text(load_only=True, allow_none=True)
    has_api_key = fields.Boolean(dump_only=True)
    requests_per_minute = Number(least=LEAST_REQUESTS, most=MOST_REQUESTS, allow_none=True)
    webhook_url = fields.String(dump_only=True)
    webhook_username = fields.String(dump_only=True)
    webhook_endpoint_id = fields.String(dump_only=True, allow_none=True)
    health = fields.Nested(HealthSchema, dump_only=True, metadata=BY_ITSELF)
    warnings = fields.List(fields.Nested(WarningSchema), dump_only=True, metadata=BY_ITSELF)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


IntegrationPageSchema = page_schema("IntegrationPage", IntegrationSchema)
