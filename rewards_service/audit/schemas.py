"""Audit entries as the API shows them."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from rewards_service.audit import subjects
from rewards_service.kit import patterns
from rewards_service.kit.fields import Described, Instant, PublicId, Text
from rewards_service.kit.lists import ListQuery, page_schema


class SubjectId(fields.String):
    """The public id of whatever an entry is about."""

    described: ClassVar[Described] = {"pattern": patterns.public_id("[^_]*")}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        key = subjects.key_of(value) if isinstance(value, str) else None
        if key is None:
            raise ValidationError("Not an id; they look like par_....")
        return key


class AuditEntrySchema(Schema):
    """Who did what to what, when and why."""

    id = PublicId("aud")
    at = Instant()
    actor = fields.String(
        metadata={"description": "`key:` and the number of an API key, `cli`, or `machine`"}
    )
    action = fields.String()
    subject_kind = fields.String()
    subject_id = fields.String()
    reason = fields.String(allow_none=True)
    detail = fields.Dict(metadata={"description": "What changed; inside, keys of the database"})
    hash = fields.String(metadata={"description": "Seals this entry and all before it"})


class AuditQuerySchema(ListQuery):
    actor = Text()
    action = Text()
    subject_kind = Text()
    subject_id = SubjectId()
    at_from = Instant(data_key="at[gte]")
    at_before = Instant(data_key="at[lt]")


AuditPageSchema = page_schema("AuditPage", AuditEntrySchema)
