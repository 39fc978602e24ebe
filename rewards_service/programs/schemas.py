"""Programmes and reward rules as the API shows them."""

from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from rewards_service.kit.fields import (
    Amounts,
    Choice,
    Instant,
    InstantOrDay,
    Number,
    PublicId,
    Rate,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.kit.money import ROUNDINGS
from rewards_service.programs.rules import FLAT, GROSS, NET, PERCENT

MAX_HOLD_DAYS = 365


class TimeZone(fields.String):
    """A name of the IANA time zone database."""

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
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class TermsSchema(StrictSchema):
    """How a rule calculates: a percent rule has a rate, a flat one amounts by currency."""

    kind = Choice((PERCENT, FLAT), required=True)
    rate = Rate(allow_none=True, metadata={"example": "0.20"})
    amounts = Amounts(allow_none=True, metadata={"example": {"USD": 500}})
    base = Choice((NET, GROSS))
    rounding = Choice(ROUNDINGS)
    hold_days = Number(most=MAX_HOLD_DAYS)
    effective_from = InstantOrDay(
        allow_none=True,
        metadata={
            "description": "A time, or a day in the programme's time zone. Left out or null on "
            "creation: since ever. Left out on a change: from now on."
        },
    )


class RuleVersionSchema(TermsSchema):
    """One version of a rule; it never changes."""

    version = fields.Integer(dump_only=True)
    created_at = Instant(dump_only=True)


class RuleSchema(TermsSchema):
    """A reward rule, by its newest version."""

    id = PublicId("rul", dump_only=True)
    program_id = PublicId("prg", required=True)
    name = Text(required=True)
    version = fields.Integer(dump_only=True)
    versions = fields.List(fields.Nested(RuleVersionSchema), dump_only=True)
    created_at = Instant(dump_only=True)


class RuleQuerySchema(ListQuery):
    program_id = PublicId("prg")


ProgramPageSchema = page_schema("ProgramPage", ProgramSchema)
RulePageSchema = page_schema("RulePage", RuleSchema)
