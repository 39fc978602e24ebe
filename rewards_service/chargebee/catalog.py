"""What a site sells, of both product catalogues, as columns of the mirror (pure)."""

from rewards_service.chargebee.members import (
    Row,
    Shape,
    currency,
    decimal,
    members,
    name_of,
    number,
    text,
    time,
    yes,
)
from rewards_service.chargebee.wire import Payload

ITEM_FAMILY = "item_family"
ITEM = "item"
ITEM_PRICE = "item_price"
PLAN = "plan"
ADDON = "addon"
GIFT = "gift"
CATALOG = (ITEM_FAMILY, ITEM, ITEM_PRICE, PLAN, ADDON)

_PRICE = (
    *members(text, "name", "status", "pricing_model", "period_unit"),
    *members(currency, currency="currency_code"),
    *members(number, "period", price_minor="price"),
    *members(decimal, "price_in_decimal"),
    *members(time, "archived_at"),
)
_FREE = (
    *members(number, "trial_period", "free_quantity", "billing_cycles"),
    *members(text, "trial_period_unit"),
    *members(decimal, "free_quantity_in_decimal"),
)
_COLUMNS = {
    ITEM_FAMILY: Shape(*members(text, "name", "status")),
    ITEM: Shape(
        *members(name_of, "item_family_id"),
        *members(text, "name", "status", "unit", "usage_calculation", kind="type"),
        *members(yes, "metered", "included_in_mrr"),
        *members(time, "archived_at"),
    ),
    ITEM_PRICE: Shape(
        *_PRICE, *_FREE,
        *members(name_of, "item_id", "item_family_id", "parent_item_id"),
        *members(text, item_kind="item_type"),
        *members(time, "created_at"),
    ),
    PLAN: Shape(*_PRICE, *_FREE, *members(number, setup_cost_minor="setup_cost")),
    ADDON: Shape(*_PRICE, *members(text, "charge_type", "unit"), *members(yes, "included_in_mrr")),
    GIFT: Shape(*members(text, "status"), *members(time, "scheduled_at")),
}  # fmt: skip
# Before `pricing_model` there was, with the same words:
_OLDER_MODEL = {PLAN: "charge_model", ADDON: "type"}

TIER = (
    *members(number, "starting_unit", "ending_unit", "package_size", price_minor="price"),
    *members(decimal, "starting_unit_in_decimal", "ending_unit_in_decimal", "price_in_decimal"),
    *members(text, "pricing_type"),
)
_TIER = Shape(*TIER)
_GIFTER = Shape(*members(name_of, gifter_customer_id="customer_id", gifter_invoice_id="invoice_id"))
_RECEIVER = Shape(
    *members(
        name_of, receiver_customer_id="customer_id", receiver_subscription_id="subscription_id"
    )
)


def read_catalog(kind: str, payload: Payload) -> tuple[Row, dict[str, list[Row]]]:
    """(columns, parts) of an item family, item, item price, plan, addon or gift."""
    columns = _COLUMNS[kind].read(payload)
    if kind in _OLDER_MODEL and columns["pricing_model"] is None:
        columns["pricing_model"] = text(payload.get(_OLDER_MODEL[kind]))
    if kind == GIFT:
        columns |= _GIFTER.read(_object(payload, "gifter"))
        columns |= _RECEIVER.read(_object(payload, "gift_receiver"))
    if kind not in (ITEM_PRICE, PLAN, ADDON):
        return columns, {}
    return columns, {"tiers": _TIER.read_list(payload.get("tiers"), kind=kind)}


def _object(payload: Payload, name: str) -> Payload:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}
