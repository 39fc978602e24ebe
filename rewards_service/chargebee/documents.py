"""What invoices and credit notes say beyond what rewards need, for the mirror (pure)."""

from typing import Any

from rewards_service.chargebee.members import (
    Row,
    Shape,
    currency,
    decimal,
    members,
    name_of,
    number,
    objects,
    rate,
    text,
    time,
    yes,
)
from rewards_service.chargebee.wire import Payload

_FOREIGN = (
    *members(currency, base_currency="base_currency_code", local_currency="local_currency_code"),
    *members(rate, "exchange_rate", local_exchange_rate="local_currency_exchange_rate"),
    *members(name_of, "business_entity_id"),
    *members(time, "voided_at"),
)
_INVOICE = Shape(
    *_FOREIGN,
    *members(yes, "recurring", "first_invoice", "has_advance_charges"),
    *members(text, "dunning_status"),
)
_NOTE = Shape(
    *_FOREIGN,
    *members(name_of, "subscription_id"),
    *members(text, "create_reason_code"),
    *members(time, "refunded_at"),
    *members(
        number, allocated_minor="amount_allocated", refunded_minor="amount_refunded",
        available_minor="amount_available",
    ),
)  # fmt: skip
LINE = Shape(
    *members(number, "quantity", unit_minor="unit_amount",
             item_discount_minor="item_level_discount_amount"),
    *members(decimal, "quantity_in_decimal", "amount_in_decimal",
             unit_in_decimal="unit_amount_in_decimal"),
    *members(text, "pricing_model", "proration_mode", reference_line_id="reference_line_item_id"),
    *members(yes, "metered"),
)  # fmt: skip
_LINE_DISCOUNT = Shape(
    *members(name_of, "entity_id", "coupon_id", line_id="line_item_id"),
    *members(text, "discount_type"),
    *members(number, amount_minor="discount_amount"),
)
_DISCOUNT = Shape(
    *members(name_of, "entity_id", line_id="line_item_id"),
    *members(text, discount_type="entity_type"),
    *members(number, amount_minor="amount"),
)
_LINE_TAX = Shape(
    *members(name_of, line_id="line_item_id"),
    *members(text, name="tax_name", jurisdiction_type="tax_juris_type",
             jurisdiction="tax_juris_name"),
    *members(decimal, rate="tax_rate"),
    *members(number, amount_minor="tax_amount", taxable_minor="taxable_amount"),
)  # fmt: skip
_NO_TAX = _LINE_TAX.read({})
_TAX = Shape(*members(text, "name"), *members(number, amount_minor="amount"))


def read_invoice_rest(payload: Payload) -> Row:
    """Columns of an invoice that no reward hangs on."""
    return {**_INVOICE.read(payload), "exchange_rates": _rates(payload)}


def read_note_rest(payload: Payload) -> Row:
    """Columns of a credit note that no reward hangs on."""
    return {**_NOTE.read(payload), "exchange_rates": _rates(payload)}


def read_discounts(kind: str, payload: Payload) -> list[Row]:
    """Discounts of a whole invoice or credit note, and what of them falls on which line."""
    return [
        *_DISCOUNT.read_list(payload.get("discounts"), kind=kind, level="document", coupon_id=None),
        *_LINE_DISCOUNT.read_list(payload.get("line_item_discounts"), kind=kind, level="line"),
    ]


def read_taxes(kind: str, payload: Payload) -> list[Row]:
    """Taxes of a whole invoice or credit note, and what of them falls on which line."""
    whole = _TAX.read_list(payload.get("taxes"), kind=kind, level="document")
    return [
        *({**_NO_TAX, **tax} for tax in whole),
        *_LINE_TAX.read_list(payload.get("line_item_taxes"), kind=kind, level="line"),
    ]


def _rates(payload: Payload) -> Any:
    """Rate by currency, for the caller to spell; None when there are none."""
    listed = payload.get("exchange_rates")
    if not listed:
        return None
    found = {
        name: spelled
        for one in objects(listed)
        if (name := currency(one.get("currency_code")))
        and (spelled := rate(one.get("rate")))
    }  # fmt: skip
    return found or None
