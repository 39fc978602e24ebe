"""Programmes and reward rules as the API shows them."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from rewards_service.kit.fields import Choice, Described, Instant, PublicId, StrictSchema, Text
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.programs.models import APPROVALS, INACTIVE_PARTNERS
from rewards_service.programs.rule_schemas import TermsSchema


class TimeZone(fields.String):
    """A name of the IANA time zone database."""

    described: ClassVar[Described] = {
        "minLength": 1,
        "maxLength": 100,
        "pattern": "^[A-Za-z0-9_+/-]+$",
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        try:
            if isinstance(value, str) and len(value) <= 100:
                return ZoneInfo(value).key
        except (ValueError, OSError, KeyError):
            pass
        raise ValidationError("Not a time zone such as Europe/Berlin or UTC.")


class ProgramSchema(StrictSchema):
    """A set of rules that partners are enrolled in."""

    id = PublicId("prg", dump_only=True)
    name = Text(required=True)
    timezone = TimeZone(load_default="UTC")
    description = Text(shortest=0, longest=5_000, lines=True, allow_none=True)
    approval = Choice(APPROVALS, load_default=APPROVALS[0])
    inactive_partners = Choice(INACTIVE_PARTNERS, load_default=INACTIVE_PARTNERS[0])
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class LevelSchema(StrictSchema):
    """A level of a programme, such as Gold, with rules of its own."""

    id = PublicId("lvl", dump_only=True)
    program_id = PublicId("prg", dump_only=True)
    name = Text(required=True)
    created_at = Instant(dump_only=True)


class RuleVersionSchema(TermsSchema):
    """One version of a rule; it never changes."""

    version = fields.Integer(dump_only=True)
    created_at = Instant(dump_only=True)


class RuleSchema(TermsSchema):
    """A reward rule, by its newest version."""

    id = PublicId("rul", dump_only=True)
    program_id = PublicId("prg", required=True)
    level_id = PublicId("lvl", allow_none=True)
    name = Text(required=True)
    version = fields.Integer(dump_only=True)
    versions = fields.List(fields.Nested(RuleVersionSchema), dump_only=True)
    created_at = Instant(dump_only=True)


class RuleQuerySchema(ListQuery):
    program_id = PublicId("prg")


ProgramPageSchema = page_schema("ProgramPage", ProgramSchema)
LevelPageSchema = page_schema("LevelPage", LevelSchema)
RulePageSchema = page_schema("RulePage", RuleSchema)
