"""What a subscription buys, read from the parameters of a call (pure)."""

from rewards_service.simulator.catalog import PERIODS, sellable
from rewards_service.simulator.errors import missing, wrong_value
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params

Bought = tuple[Row, int, str, str]  # (members, period, unit, currency)
_DURATIONS = ("one_time", "forever", "limited_period")
_APPLY = ("invoice_amount", "specific_item_price")


def read_items(site: Site, params: Params) -> Bought:
    """Catalog 2.0: item prices with quantities; the plan's period is the subscription's."""
    rows = params.rows("subscription_items")
    if not rows:
        raise missing("subscription_items[item_price_id][0]")
    items, period, unit, currency = [], 1, "month", None
    for entry in rows:
        price = sellable(site, entry.required("item_price_id"), currency)
        currency = price["currency_code"]
        if price["item_type"] == "plan":
            period, unit = price["period"], price["period_unit"]
        items.append(_item(entry, price))
    return {"subscription_items": items}, period, unit, str(currency)


def _item(entry: Params, price: Row) -> Row:
    quantity = entry.amount("quantity", 1) or 1
    given = entry.amount("unit_price")
    unit_minor = price["price"] if given is None else given
    flat = price["pricing_model"] == "flat_fee"
    return {
        "item_price_id": price["id"], "item_type": price["item_type"],
        "quantity": 1 if flat else quantity, "unit_price": unit_minor,
        "amount": unit_minor * (1 if flat else quantity), "free_quantity": 0,
        "object": "subscription_item",
    }  # fmt: skip


def read_plan(site: Site, params: Params) -> Bought:
    """Catalog 1.0: one plan, and addons beside it."""
    plan = site.find("plan", params.required("plan_id", 100))
    quantity = params.amount("plan_quantity", 1) or 1
    given = params.amount("plan_unit_price")
    unit_minor = plan["price"] if given is None else given
    row: Row = {
        "plan_id": plan["id"], "plan_quantity": quantity, "plan_unit_price": unit_minor,
        "plan_amount": unit_minor * quantity, "plan_free_quantity": 0,
    }  # fmt: skip
    if "setup_cost" in plan:
        row["setup_fee"] = plan["setup_cost"]
    addons = [_addon(site, entry, plan) for entry in params.rows("addons")]
    if addons:
        row["addons"] = addons
    return row, plan["period"], plan["period_unit"], plan["currency_code"]


def _addon(site: Site, entry: Params, plan: Row) -> Row:
    addon = site.find("addon", entry.required("id", 100))
    if addon["currency_code"] != plan["currency_code"]:
        raise wrong_value(entry.name("id"), "is in another currency than the plan")
    quantity = entry.amount("quantity", 1) or 1
    given = entry.amount("unit_price")
    unit_minor = addon["price"] if given is None else given
    return {
        "id": addon["id"], "quantity": quantity, "unit_price": unit_minor,
        "amount": unit_minor * quantity, "object": "addon",
    }  # fmt: skip


def read_discounts(site: Site, params: Params, currency: str) -> list[Row]:
    """Percent or minor units off, once, for a time or for ever."""
    found = []
    for index, entry in enumerate(params.rows("discounts")):
        percent, amount = entry.percent("percentage"), entry.amount("amount", 1)
        if (percent is None) == (amount is None):
            raise wrong_value(entry.name("percentage"), "or amount is needed, one of them")
        row: Row = {
            "id": site.new_id("disc"), "invoice_name": "Discount",
            "type": "fixed_amount" if percent is None else "percentage",
            "duration_type": entry.choice("duration_type", _DURATIONS) or "forever",
            "included_in_mrr": bool(entry.flag("included_in_mrr")),
            "apply_on": entry.choice("apply_on", _APPLY) or "invoice_amount", "index": index,
            "created_at": site.now, "applied_count": 0, "object": "discount",
        }  # fmt: skip
        if percent is None:
            row |= {"amount": amount, "currency_code": currency}
        else:
            row["percentage"] = percent
        if row["duration_type"] == "limited_period":
            row["period"] = entry.required_amount("period", 1)
            row["period_unit"] = entry.choice("period_unit", PERIODS) or "month"
        if row["apply_on"] == "specific_item_price":
            row["item_price_id"] = entry.required("item_price_id")
        found.append(row)
    return found
