"""The terms of reward rules as the API shows them: the shape of each member alone."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import pycountry
from marshmallow import ValidationError, fields, validate, validates_schema

from rewards_service.kit import patterns
from rewards_service.kit.fields import (
    SOMETIMES,
    Amounts,
    Choice,
    Currency,
    Described,
    Flag,
    InstantOrDay,
    Number,
    Rate,
    StrictSchema,
    Text,
    Whole,
)
from rewards_service.kit.money import MAX_AMOUNT, ROUNDINGS
from rewards_service.programs import rules

MAX_HOLD_DAYS = 365
MAX_PRIORITY = 1_000_000
MAX_PAYMENTS = 10_000
MAX_MONTHS = 1_200
MAX_STEPS = 50
MAX_PATTERNS = 500
MAX_CUSTOMERS = 1_000
LONGEST_ID = 100
ENTITY_TYPES = (
    "plan_item_price", "addon_item_price", "charge_item_price", "plan", "plan_setup", "addon",
    "adhoc",
)  # fmt: skip
# Kosovo, and Northern Ireland, which Chargebee tells from Great Britain for tax.
_MORE_COUNTRIES = {"XI", "XK"}


@cache
def country_codes() -> frozenset[str]:
    """Every ISO 3166 alpha-2 code, and those that Chargebee uses beside them."""
    return frozenset({country.alpha_2 for country in pycountry.countries} | _MORE_COUNTRIES)


class Country(fields.String):
    """An upper-case ISO 3166 alpha-2 code."""

    described: ClassVar[Described] = {"x-one-of": "Country"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in country_codes():
            raise ValidationError("Not an upper-case ISO 3166 country code such as DE.")
        return value


class Pattern(Text):
    """An id of a Chargebee price or item; a "*" at the end stands for whatever follows."""

    @property
    def described(self) -> Described:
        return {"pattern": patterns.ID_OR_START}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if "*" in text[:-1] or text == "*":
            raise ValidationError('A "*" stands at the end only, after the beginning of an id.')
        return text


class OneOfEach(fields.List[Any]):
    """A list that names something, and nothing twice; shown where it was given."""

    def __init__(self, item: fields.Field[Any], most: int, **kwargs: Any) -> None:
        super().__init__(item, validate=validate.Length(1, most), **kwargs)

    described: ClassVar[Described] = {"uniqueItems": True, **SOMETIMES}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = super()._deserialize(value, *args, **kwargs)
        first = {item: n for n, item in reversed(list(enumerate(found)))}
        twice = {n: ["Is named twice."] for n, item in enumerate(found) if first[item] != n}
        if twice:
            raise ValidationError(twice)
        return found


class Limits(fields.Dict):
    """Minor units by currency, each above zero: {"USD": 500}; at least one."""

    def __init__(self, **kwargs: Any) -> None:
        above_zero = Number(least=1, beyond="An amount here lies above 0.")
        super().__init__(keys=Currency(), values=above_zero, validate=_not_empty, **kwargs)

    described: ClassVar[Described] = {"minProperties": 1}


def _not_empty(value: Mapping[str, int]) -> None:
    if not value:
        raise ValidationError("Names no currency.")


class Threshold(fields.Raw):
    """Amounts by currency, or a number of customers; which of them, the metric says."""

    _amounts = Limits()
    _customers = Number(least=1)

    described: ClassVar[Described] = {
        "type": ["object", "integer", "null"],
        "minimum": 1,
        "maximum": MAX_AMOUNT,
        "minProperties": 1,
        "propertyNames": {"type": "string", "x-one-of": "Currency"},
        "additionalProperties": {"type": "integer", "minimum": 1, "maximum": MAX_AMOUNT},
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        kind = self._amounts if isinstance(value, Mapping) else self._customers
        return kind.deserialize(value)


class TierStepSchema(StrictSchema):
    """A rate up to and including a threshold; the last step has none."""

    up_to = Threshold(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Minor units by currency with metric base_amount, a number of "
            "customers with new_customers; null on the last step.",
            "example": {"USD": 100_000},
        },
    )
    rate = Rate(required=True, attribute="rate_millionths", metadata={"example": "0.10"})


class TiersSchema(StrictSchema):
    """Rates that follow what the partner has brought within a window."""

    mode = Choice(rules.MODES, required=True)
    metric = Choice(rules.METRICS, required=True)
    window = Choice(rules.WINDOWS, required=True)
    restate = Flag(load_default=False)
    steps = fields.List(
        Whole(TierStepSchema), required=True, validate=validate.Length(1, MAX_STEPS)
    )


class CapSchema(StrictSchema):
    """The most that a scope may earn under the rule in a window."""

    scope = Choice(rules.SCOPES, required=True)
    window = Choice(rules.WINDOWS, required=True)
    amounts = Limits(required=True, metadata={"example": {"USD": 100_000}})


class RateStepSchema(StrictSchema):
    """A rate for so many further invoices of a customer; null: for all that follow."""

    payments = Number(least=1, most=MAX_PAYMENTS, load_default=None, allow_none=True)
    rate = Rate(required=True, attribute="rate_millionths", metadata={"example": "0.30"})


class _SomeSchema(StrictSchema):
    """An object that names at least one of its members; null is there for none."""

    @validates_schema
    def check_some(self, given: dict[str, Any], **_kwargs: Any) -> None:
        if not given:
            raise ValidationError("Says nothing: name a member, or send null.")


class ItemFilterSchema(_SomeSchema):
    """Which invoice lines count, by the ids of Chargebee's prices and items."""

    include = OneOfEach(Pattern(longest=LONGEST_ID), MAX_PATTERNS)
    excluded = OneOfEach(  # a schema has an attribute `exclude` of its own
        Pattern(longest=LONGEST_ID), MAX_PATTERNS, data_key="exclude", attribute="exclude"
    )
    entity_types = OneOfEach(Choice(ENTITY_TYPES), len(ENTITY_TYPES))


class ConditionsSchema(_SomeSchema):
    """Whose invoices count."""

    countries = OneOfEach(Country(), MAX_PATTERNS)
    excluded_countries = OneOfEach(Country(), MAX_PATTERNS)
    customer_ids = OneOfEach(Text(longest=LONGEST_ID), MAX_CUSTOMERS)
    excluded_customer_ids = OneOfEach(Text(longest=LONGEST_ID), MAX_CUSTOMERS)


class TermsSchema(StrictSchema):
    """What a rule says: a percent rule has rates, a flat one amounts by currency."""

    kind = Choice(rules.KINDS, required=True)
    rate = Rate(allow_none=True, metadata={"example": "0.20"})
    amounts = Amounts(allow_none=True, metadata={"example": {"USD": 500}})
    base = Choice((rules.NET, rules.GROSS))
    rounding = Choice(ROUNDINGS)
    hold_days = Number(most=MAX_HOLD_DAYS)
    effective_from = InstantOrDay(
        allow_none=True,
        metadata={
            "description": "A time, or a day in the programme's time zone. Left out or null on "
            "creation: since ever. Left out on a change: from now on."
        },
    )
    trigger = Choice(rules.TRIGGERS, allow_none=True)
    priority = Number(least=-MAX_PRIORITY, most=MAX_PRIORITY, allow_none=True)
    stack_group = Text(longest=LONGEST_ID, allow_none=True)
    rate_lock = Choice(rules.RATE_LOCKS, allow_none=True)
    first_payments = Number(least=1, most=MAX_PAYMENTS, allow_none=True)
    first_months = Number(least=1, most=MAX_MONTHS, allow_none=True)
    annual = Choice(rules.ANNUALS, allow_none=True)
    min_amount_minor = Limits(allow_none=True, metadata={"example": {"USD": 1_000}})
    max_reward_minor = Limits(allow_none=True, metadata={"example": {"USD": 50_000}})
    caps = fields.List(Whole(CapSchema), allow_none=True)
    tiers = Whole(TiersSchema, allow_none=True)
    rate_steps = fields.List(
        Whole(RateStepSchema), allow_none=True, validate=validate.Length(max=MAX_STEPS)
    )
    item_filter = Whole(ItemFilterSchema, allow_none=True)
    conditions = Whole(ConditionsSchema, allow_none=True)
    flat_refund = Choice(rules.FLAT_REFUNDS, allow_none=True)
    flat_refund_threshold = Rate(
        attribute="flat_refund_threshold_millionths", allow_none=True, metadata={"example": "0.50"}
    )
    refund_allocation = Choice(rules.REFUND_ALLOCATIONS, allow_none=True)
