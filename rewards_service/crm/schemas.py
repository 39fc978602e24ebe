"""Leads, deals and customers as the API shows them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from rewards_service.crm.models import DEAL_STAGES, LEAD_STATUSES
from rewards_service.kit.fields import (
    Choice,
    Currency,
    Email,
    Flag,
    Instant,
    Number,
    PublicId,
    StrictSchema,
    Text,
    Whole,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.kit.money import BASIS_POINTS

MAX_SHARES = 50
LONGEST_REASON = 1_000


class LeadStatus(Choice):
    """A status that may be read; of these, `converted` cannot be written."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if value == "converted":
            raise ValidationError("A lead is converted by a payment, not by hand.")
        status: str = super()._deserialize(value, *args, **kwargs)
        return status


class LeadSchema(StrictSchema):
    """A person a partner brought. A payment by the same e-mail address converts it."""

    id = PublicId("led", dump_only=True)
    email = Email(required=True)
    first_name = Text(allow_none=True)
    last_name = Text(allow_none=True)
    company = Text(allow_none=True)
    status = LeadStatus(LEAD_STATUSES, load_default="accepted")
    partner_id = PublicId("par", allow_none=True)
    registered_at = Instant()
    external_id = Text(allow_none=True)
    customer_id = PublicId("cus", dump_only=True, allow_none=True)
    converted_at = Instant(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class LeadQuerySchema(ListQuery):
    status = Choice(LEAD_STATUSES)
    email = Email()
    partner_id = PublicId("par")
    external_id = Text()


class ShareSchema(StrictSchema):
    """A partner's share of a deal."""

    partner_id = PublicId("par", required=True)
    basis_points = Number(least=1, most=BASIS_POINTS, required=True)


class DealSchema(StrictSchema):
    """A sale a partner works on. A payment by its contact associates the customer with it."""

    id = PublicId("dea", dump_only=True)
    name = Text(required=True)
    contact_email = Email(allow_none=True)
    amount_minor = Number(allow_none=True)
    currency = Currency(allow_none=True)
    stage = Choice(DEAL_STAGES, load_default="open")
    partner_id = PublicId("par", allow_none=True)
    shares = fields.List(Whole(ShareSchema), validate=validate.Length(max=MAX_SHARES))
    registered_at = Instant()
    external_id = Text(allow_none=True)
    customer_id = PublicId("cus", dump_only=True, allow_none=True)
    associated_at = Instant(dump_only=True, allow_none=True)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)

    @validates_schema
    def check_shares(self, given: dict[str, Any], **_kwargs: Any) -> None:
        shares = given.get("shares")
        if not shares:
            return
        if sum(share["basis_points"] for share in shares) != BASIS_POINTS:
            raise ValidationError("Shares must sum to 100 per cent (10000 basis points).", "shares")
        if len({share["partner_id"] for share in shares}) != len(shares):
            raise ValidationError("A partner has more than one share.", "shares")


class DealQuerySchema(ListQuery):
    stage = Choice(DEAL_STAGES)
    contact_email = Email()
    partner_id = PublicId("par")
    external_id = Text()


class CustomerPropertiesSchema(Schema):
    """Properties of a customer."""

    chargebee_customer_id = fields.String(allow_none=True)


class ChargebeeIdSchema(Schema):
    """An id of a customer at a Chargebee site."""

    site = fields.String()
    id = fields.String()


class CustomerSchema(StrictSchema):
    """A company or person that pays."""

    id = PublicId("cus", dump_only=True)
    name = Text(required=True, allow_none=True)
    email = Email(allow_none=True)
    source_partner_id = PublicId("par", allow_none=True)
    properties = fields.Nested(CustomerPropertiesSchema, dump_only=True)
    chargebee_ids = fields.List(fields.Nested(ChargebeeIdSchema), dump_only=True)
    lead_id = PublicId("led", dump_only=True, allow_none=True)
    deal_ids = fields.List(PublicId("dea"), dump_only=True)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)


class CustomerChangeSchema(StrictSchema):
    """A change of a customer; `reason` goes with a change of `source_partner_id`.

    `retroactive`: rewards that nobody settled move to the new partner, too.
    """

    name = Text(allow_none=True)
    email = Email(allow_none=True)
    source_partner_id = PublicId("par", allow_none=True)
    reason = Text(longest=LONGEST_REASON, lines=True)
    retroactive = Flag(load_default=False)
    dry_run = Flag(load_default=False)

    @validates_schema
    def check_retroactive(self, given: dict[str, Any], **_kwargs: Any) -> None:
        if given["retroactive"] and "source_partner_id" not in given:
            raise ValidationError("Say which partner: source_partner_id.", "source_partner_id")


class CustomerQuerySchema(ListQuery):
    email = Email()
    chargebee_customer_id = Text()


LeadPageSchema = page_schema("LeadPage", LeadSchema)
DealPageSchema = page_schema("DealPage", DealSchema)
CustomerPageSchema = page_schema("CustomerPage", CustomerSchema)
