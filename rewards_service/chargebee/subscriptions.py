"""Subscriptions of both product catalogues as columns and parts of the mirror (pure)."""

from typing import Any

from rewards_service.chargebee.catalog import TIER
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

SUBSCRIPTION = "subscription"

_SUBSCRIPTION = Shape(
    *members(name_of, "customer_id", "business_entity_id", "gift_id"),
    *members(text, "status", "billing_period_unit", "cancel_reason", "cancel_reason_code"),
    *members(currency, currency="currency_code", base_currency="base_currency_code"),
    *members(rate, "exchange_rate"),
    *members(
        number, "billing_period", "remaining_billing_cycles", mrr_minor="mrr", arr_minor="arr",
        setup_fee_minor="setup_fee",
    ),
    *members(
        time, "created_at", "started_at", "activated_at", "next_billing_at", "cancelled_at",
        "changes_scheduled_at", start_at="start_date", trial_start_at="trial_start",
        trial_end_at="trial_end", term_start_at="current_term_start",
        term_end_at="current_term_end", pause_at="pause_date", resume_at="resume_date",
        cancel_scheduled_at="cancel_schedule_created_at", due_since_at="due_since",
    ),
    *members(yes, "has_scheduled_changes", "decommissioned"),
)  # fmt: skip

_ITEM = Shape(
    *members(name_of, entity_id="item_price_id"),
    *members(
        number, "quantity", "free_quantity", "billing_period", "billing_cycles",
        "service_period_days", unit_minor="unit_price", amount_minor="amount",
    ),
    *members(
        decimal, "quantity_in_decimal", "amount_in_decimal", "free_quantity_in_decimal",
        "metered_quantity", unit_in_decimal="unit_price_in_decimal",
    ),
    *members(text, "billing_period_unit", "charge_on_event", "proration_type",
             entity_type="item_type"),
    *members(
        time, "next_billing_at", trial_end_at="trial_end", term_start_at="current_term_start",
        term_end_at="current_term_end",
    ),
)  # fmt: skip
_NO_ITEM = _ITEM.read({})
# Catalogue 1.0: the plan stands in the subscription itself.
_PLAN = Shape(
    *members(name_of, entity_id="plan_id"),
    *members(number, quantity="plan_quantity", unit_minor="plan_unit_price",
             amount_minor="plan_amount", free_quantity="plan_free_quantity"),
    *members(decimal, quantity_in_decimal="plan_quantity_in_decimal",
             unit_in_decimal="plan_unit_price_in_decimal",
             amount_in_decimal="plan_amount_in_decimal",
             free_quantity_in_decimal="plan_free_quantity_in_decimal"),
)  # fmt: skip
_ADDON = Shape(
    *members(name_of, entity_id="id"),
    *members(number, "quantity", unit_minor="unit_price", amount_minor="amount",
             billing_cycles="remaining_billing_cycles"),
    *members(decimal, "quantity_in_decimal", "amount_in_decimal",
             unit_in_decimal="unit_price_in_decimal"),
    *members(time, trial_end_at="trial_end"),
    *members(text, "proration_type"),
)  # fmt: skip
_ITEM_TIER = Shape(
    *TIER,
    *members(name_of, entity_id="item_price_id"),
    *members(number, item_index="index"),
)
_DISCOUNT = Shape(
    *members(name_of, "coupon_id", discount_id="id", entity_id="item_price_id"),
    *members(text, "duration_type", "period_unit", "apply_on", kind="type"),
    *members(decimal, "percentage"),
    *members(number, "quantity", "period", "applied_count", amount_minor="amount",
             item_index="index"),
    *members(currency, currency="currency_code"),
    *members(time, "created_at", apply_till_at="apply_till"),
    *members(yes, "included_in_mrr"),
)  # fmt: skip
_COUPON = Shape(
    *members(name_of, "coupon_id"),
    *members(text, "coupon_code"),
    *members(time, apply_till_at="apply_till"),
    *members(number, "applied_count"),
)
_TERM = Shape(
    *members(name_of, term_id="id"),
    *members(text, "status", action_at_end="action_at_term_end"),
    *members(time, "created_at", start_at="contract_start", end_at="contract_end"),
    *members(
        number, "remaining_billing_cycles", billing_cycles="billing_cycle",
        cutoff_period_days="cancellation_cutoff_period", value_minor="total_contract_value",
        value_before_tax_minor="total_contract_value_before_tax",
    ),
)  # fmt: skip


def read_subscription(payload: Payload) -> tuple[Row, dict[str, list[Row]]]:
    """(columns, parts): items, their tiers, discounts, coupons, the contract term."""
    parts = {
        "items": _items(payload),
        "tiers": _ITEM_TIER.read_list(payload.get("item_tiers")),
        "discounts": _DISCOUNT.read_list(payload.get("discounts")),
        "coupons": _COUPON.read_list(_coupons(payload)),
        "terms": _TERM.read_list([payload.get("contract_term")]),
    }
    return _SUBSCRIPTION.read(payload), parts


def _items(payload: Payload) -> list[Row]:
    """In the words of invoice lines: plan_item_price, ...; plan and addon in Catalogue 1.0."""
    listed = payload.get("subscription_items")
    if isinstance(listed, list):
        found = _ITEM.read_list(listed)
        for item in found:
            item["entity_type"] = item["entity_type"] and f"{item['entity_type']}_item_price"
        return found
    bought: list[Row] = []
    if payload.get("plan_id") is not None:
        bought.append({**_NO_ITEM, **_PLAN.read(payload), "entity_type": "plan"})
    bought += [
        {**_NO_ITEM, **_ADDON.read(addon), "entity_type": "addon"}
        for addon in objects(payload.get("addons"))
    ]
    return [{"position": position, **item} for position, item in enumerate(bought)]


def _coupons(payload: Payload) -> Any:
    """Of old there was one coupon, only named."""
    listed = payload.get("coupons")
    return [{"coupon_id": payload["coupon"]}] if not listed and payload.get("coupon") else listed
