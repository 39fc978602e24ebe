"""API keys as the API shows them."""

from marshmallow import fields, validate

from rewards_service.accounts.service import SCOPES
from rewards_service.kit.fields import Choice, Instant, PublicId, StrictSchema, Text
from rewards_service.kit.lists import ListQuery, page_schema


class ApiKeySchema(StrictSchema):
    """A key to this interface."""

    id = PublicId("key", dump_only=True)
    name = Text(required=True)
    scopes = fields.List(Choice(SCOPES), required=True, validate=validate.Length(1))
    partner_id = PublicId("par", allow_none=True, load_default=None)
    expires_at = Instant(allow_none=True, load_default=None)
    created_at = Instant(dump_only=True)
    last_used_at = Instant(dump_only=True, allow_none=True)
    revoked_at = Instant(dump_only=True, allow_none=True)


class ApiKeyChangeSchema(StrictSchema):
    """Another name; all else of a key stays as it was made."""

    name = Text(required=True)


class ApiKeyQuerySchema(ListQuery):
    partner_id = PublicId("par")


class NewApiKeySchema(ApiKeySchema):
    """A key that was just made: the only time its text is shown."""

    key = fields.String(dump_only=True)


ApiKeyPageSchema = page_schema("ApiKeyPage", ApiKeySchema)
