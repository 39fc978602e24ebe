"""Comparisons with Chargebee as the API shows them."""

from marshmallow import Schema, ValidationError, fields, validates_schema

from rewards_service.kit.fields import Choice, Day, Flag, Instant, PublicId, StrictSchema
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.reconciliation.models import RUN_STATES
from rewards_service.reconciliation.reasons import REASONS, REPAIRS, STATES
from rewards_service.reconciliation.sides import SECTIONS


class ReconcileSchema(StrictSchema):
    """What to compare: objects dated from one day to another, in UTC, both included."""

    may_be_absent = True

    from_on = Day(data_key="from")
    to_on = Day(data_key="to")
    repair = Flag(load_default=False)

    @validates_schema
    def _ends_after_it_begins(self, data: dict[str, object], **_: object) -> None:
        first, last = data.get("from_on"), data.get("to_on")
        if first is not None and last is not None and last < first:  # type: ignore[operator]
            raise ValidationError("The period ends before it begins.", "to")


class ReconciliationLineSchema(Schema):
    """One line of the sums in one currency: how many, and minor units, on both sides."""

    line = fields.String()
    currency = fields.String()
    there_count = fields.Integer()
    there_minor = fields.Integer()
    here_count = fields.Integer()
    here_minor = fields.Integer()
    difference_minor = fields.Integer()


class FieldDifferenceSchema(Schema):
    field = fields.String()
    there = fields.Raw(allow_none=True)
    here = fields.Raw(allow_none=True)


class DifferenceSchema(Schema):
    """An object in which the two sides differ, why, and what mends it."""

    object = Choice(SECTIONS)
    kind = fields.String(allow_none=True)
    chargebee_id = fields.String()
    dated_at = Instant()
    state = Choice(STATES)
    reason = Choice(tuple(REASONS))
    text = fields.String()
    repair = Choice(REPAIRS)
    event_id = PublicId("evt", allow_none=True)
    currency = fields.String(allow_none=True)
    there_minor = fields.Integer(allow_none=True)
    here_minor = fields.Integer(allow_none=True)
    differences = fields.List(fields.Nested(FieldDifferenceSchema))


class ReconciliationSchema(Schema):
    """A comparison: `ok` is null until it is done."""

    id = PublicId("rec")
    integration_id = PublicId("int")
    site = fields.String()
    state = Choice(RUN_STATES)
    ok = fields.Boolean(allow_none=True)
    from_at = Instant(allow_none=True)
    before_at = Instant(allow_none=True)
    repair = fields.Boolean()
    asked_by = fields.String()
    asked_at = Instant()
    finished_at = Instant(allow_none=True)
    error = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    notes = fields.Dict(keys=fields.String(), values=fields.Integer())
    sums = fields.List(fields.Nested(ReconciliationLineSchema))
    repaired = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)


class ReconciliationQuerySchema(ListQuery):
    integration_id = PublicId("int")


ReconciliationPageSchema = page_schema("ReconciliationPage", ReconciliationSchema)
DifferencePageSchema = page_schema("DifferencePage", DifferenceSchema)
