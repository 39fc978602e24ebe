"""Exports as the API shows them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from rewards_service.exports.models import FORMATS, STATES
from rewards_service.kit.fields import Choice, Instant, PublicId, StrictSchema, Text
from rewards_service.kit.lists import page_schema

# As it stands in an address, without the slash before it.
_PATH = validate.Regexp(
    r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", error="Not a name such as rewards."
)  # fmt: skip


class ExportRequestSchema(StrictSchema):
    """What to write to a file: a list (`resource`) or a report, with the filters it takes."""

    resource = fields.String(validate=[validate.Length(1, 200), _PATH])
    report = fields.String(validate=[validate.Length(1, 200), _PATH])
    format = Choice(FORMATS, required=True)
    filters = fields.Dict(
        keys=fields.String(), values=Text(shortest=0), load_default=dict,
        validate=validate.Length(max=50),
        metadata={"description": "Query parameters of the list or report, as texts."},
    )  # fmt: skip

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if ("resource" in data) == ("report" in data):
            raise ValidationError("Name either a resource or a report.", "resource")


class ExportSchema(Schema):
    """A list or report that a worker writes to a file."""

    id = PublicId("exp")
    resource = fields.String(allow_none=True)
    report = fields.String(allow_none=True)
    format = Choice(FORMATS)
    filters = fields.Dict(keys=fields.String(), values=fields.String())
    state = Choice(STATES)
    rows = fields.Integer(metadata={"description": "So far, while it runs."})
    size = fields.Integer(allow_none=True, metadata={"description": "Bytes of the file."})
    sha256 = fields.String(allow_none=True)
    file_name = fields.String()
    file = fields.String(
        allow_none=True, metadata={"description": "Where the file is fetched, once it is done."}
    )
    error = fields.String(allow_none=True)
    asked_at = Instant()
    finished_at = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)


ExportPageSchema = page_schema("ExportPage", ExportSchema)
