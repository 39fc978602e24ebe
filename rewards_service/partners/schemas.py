"""Partners as the API shows them."""

from datetime import datetime
from typing import Any, ClassVar

import schwifty
from marshmallow import ValidationError, fields, validate, validates_schema
from schwifty.exceptions import SchwiftyException

from rewards_service.kit import patterns
from rewards_service.kit.fields import (
    SOMETIMES,
    Choice,
    Currency,
    Described,
    Email,
    Flag,
    Instant,
    InstantOrDay,
    PublicId,
    StrictSchema,
    Text,
    Whole,
)
from rewards_service.kit.lists import ListQuery, page_schema
from rewards_service.partners.models import STATUSES

MAX_PROGRAMS = 100
MAX_ENROLMENTS = 500
LONGEST_ADDRESS = 127  # what a PayPal file takes
LONGEST_HOLDER = 70  # what a SEPA file takes


class Iban(fields.String):
    """An account number of ISO 13616, spaces left out, its check digits verified."""

    described: ClassVar[Described] = {
        "pattern": "^[A-Za-z0-9 ]+$",
        "minLength": 5,
        "maxLength": LONGEST_ADDRESS,
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and len(value) <= LONGEST_ADDRESS:
            try:
                return str(schwifty.IBAN(value).compact)
            except SchwiftyException:
                pass
        raise ValidationError("Not an IBAN, or its check digits are wrong.")


class Bic(fields.String):
    """A bank's code of ISO 9362: 8 or 11 letters and digits."""

    described: ClassVar[Described] = {
        "pattern": "^[A-Za-z0-9 ]+$",
        "minLength": 8,
        "maxLength": LONGEST_ADDRESS,
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and len(value) <= LONGEST_ADDRESS:
            try:
                return str(schwifty.BIC(value, enforce_swift_compliance=True).compact)
            except SchwiftyException:
                pass
        raise ValidationError("Not a BIC such as COBADEFF or COBADEFFXXX.")


class Unmasked(Text):
    """A text as it is, and not the stars it is shown with: those would take its place."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if "***" in text:
            raise ValidationError("This is the masked form: send it in full, or leave it out.")
        return text


class Account(Unmasked):
    """The e-mail address of an account with a payment service."""

    _is_address = validate.Email(error="Not an e-mail address.")

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = self._is_address(super()._deserialize(value, *args, **kwargs))
        return text


class Day(InstantOrDay):
    """A day of the calendar."""

    described: ClassVar[Described] = {"format": "date", "pattern": patterns.DAY}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        if isinstance(found, datetime):
            raise ValidationError("Not a day such as 2026-01-31.")
        return found


class PayoutDetailsSchema(StrictSchema):
    """Where a partner is paid. Written in full, shown masked; left out stays, null removes."""

    paypal_email = Account(longest=LONGEST_ADDRESS, allow_none=True, metadata=SOMETIMES)
    iban = Iban(allow_none=True, metadata={"example": "DE89370400440532013000", **SOMETIMES})
    bic = Bic(allow_none=True, metadata={"example": "COBADEFFXXX", **SOMETIMES})
    account_name = Unmasked(longest=LONGEST_HOLDER, allow_none=True, metadata=SOMETIMES)
    wise_email = Account(longest=LONGEST_ADDRESS, allow_none=True, metadata=SOMETIMES)
    unreadable = Flag(dump_only=True, metadata=SOMETIMES)


class EnrolmentSchema(StrictSchema):
    """A time in a programme at a level. Days begin in the programme's time zone."""

    program_id = PublicId("prg", required=True)
    level_id = PublicId("lvl", allow_none=True)
    from_at = Instant(allow_none=True)
    from_on = Day(allow_none=True, load_only=True, metadata={"example": "2026-01-01"})
    until_at = Instant(allow_none=True)
    until_on = Day(allow_none=True, load_only=True, metadata={"example": "2027-01-01"})

    @validates_schema
    def check_times(self, given: dict[str, Any], **_kwargs: Any) -> None:
        for name in ("from", "until"):
            if given.get(f"{name}_at") is not None and given.get(f"{name}_on") is not None:
                raise ValidationError("A time or a day, not both.", f"{name}_on")


class PartnerSchema(StrictSchema):
    """Somebody who brings leads and deals and earns rewards."""

    id = PublicId("par", dump_only=True)
    name = Text(required=True)
    email = Email(required=True)
    status = Choice(STATUSES, load_default="active")
    program_ids = fields.List(PublicId("prg"), validate=validate.Length(max=MAX_PROGRAMS))
    enrolments = fields.List(Whole(EnrolmentSchema), validate=validate.Length(max=MAX_ENROLMENTS))
    payout_currency = Currency(allow_none=True)
    payout_details = fields.Nested(PayoutDetailsSchema, allow_none=True)
    external_id = Text(allow_none=True)
    created_at = Instant(dump_only=True)
    updated_at = Instant(dump_only=True)

    @validates_schema
    def check_enrolments(self, given: dict[str, Any], **_kwargs: Any) -> None:
        if "program_ids" in given and "enrolments" in given:
            raise ValidationError("Send program_ids or enrolments, not both.", "enrolments")


class PartnerQuerySchema(ListQuery):
    status = Choice(STATUSES)
    email = Email()
    program_id = PublicId("prg")
    external_id = Text()


PartnerPageSchema = page_schema("PartnerPage", PartnerSchema)
