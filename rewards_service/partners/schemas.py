"""Partners as the API shows them."""

from marshmallow import fields, validate

from rewards_service.kit.fields import (
    Choice,
    Currency,
    Email,
    Instant,
    PublicId,
    StrictSchema,
    Text,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.partners.models import STATUSES

MAX_PROGRAMS = 100


class PartnerSchema(StrictSchema):
    """Somebody who brings leads and deals and earns rewards."""

    id = PublicId("par", dump_only=True)
    name = Text(required=True)
    email = Email(required=True)
    status = Choice(STATUSES, load_default="active")
    program_ids = fields.List(PublicId("prg"), validate=validate.Length(max=MAX_PROGRAMS))
    payout_currency = Currency(allow_none=True)
    external_id = Text(allow_none=True)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class PartnerQuerySchema(ListQuery):
    status = Choice(STATUSES)
    email = Email()
    program_id = PublicId("prg")
    external_id = Text()


PartnerPageSchema = page_schema("PartnerPage", PartnerSchema)
