"""Connecting, and what a look at a connected site found, as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.integrations.schemas import (
    LONGEST_GRACE_HOURS,
    IntegrationSchema,
)
from rewards_service.kit.fields import SOMETIMES, Flag, Number, StrictSchema


class CheckSchema(Schema):
    """What one check found. A warning does not fail; `remedy` says what to do about it."""

    id = fields.String()
    ok = fields.Boolean()
    warning = fields.Boolean()
    detail = fields.String()
    remedy = fields.String(allow_none=True)


class EndpointSchema(Schema):
    """A webhook as Chargebee has it. Of others than ours the address is cut after the host."""

    id = fields.String()
    name = fields.String()
    url = fields.String()
    is_ours = fields.Boolean()
    api_version = fields.String()
    schema_type = fields.String(allow_none=True)
    disabled = fields.Boolean()
    enabled_events = fields.List(fields.String(), allow_none=True)


class ConnectionSchema(Schema):
    """How a connected site stands."""

    ok = fields.Boolean()
    checks = fields.List(fields.Nested(CheckSchema))
    endpoints = fields.List(fields.Nested(EndpointSchema))


class NewIntegrationSchema(IntegrationSchema):
    """An integration with its webhook password, which is shown this once."""

    connect = Flag(load_only=True, load_default=False)
    webhook_password = fields.String(dump_only=True, allow_none=True)
    connection = fields.Nested(ConnectionSchema, dump_only=True, metadata=SOMETIMES)


class RotationSchema(StrictSchema):
    """How long the old webhook password stays good beside the new one."""

    grace_hours = Number(least=0, most=LONGEST_GRACE_HOURS, load_default=24)
