"""The catalogue: families, items and prices (2.0), plans and addons (1.0) (pure)."""

from rewards_service.simulator.customers import write_custom
from rewards_service.simulator.errors import duplicate, wrong_state, wrong_value
from rewards_service.simulator.events import emit
from rewards_service.simulator.site import BASE_CURRENCY, Row, Site
from rewards_service.simulator.wire import Params

PERIODS = ("day", "week", "month", "year")
_ITEM_TYPES = ("plan", "addon", "charge")
_MODELS = ("flat_fee", "per_unit")
# Members that may be set when it is made and later, by kind.
_TEXTS = {
    "item_family": {"name": 50, "description": 500},
    "item": {"name": 100, "description": 2000, "external_name": 100, "unit": 30},
    "item_price": {"name": 100, "description": 2000, "external_name": 100, "invoice_notes": 2000},
    "plan": {"name": 100, "description": 2000, "invoice_name": 100, "invoice_notes": 2000},
    "addon": {"name": 100, "description": 2000, "invoice_name": 100, "unit": 30},
}
_METADATA = {
    "item": "metadata",
    "item_price": "metadata",
    "plan": "meta_data",
    "addon": "meta_data",
}


def create(site: Site, kind: str, params: Params) -> Row:
    key = params.required("id", 50 if kind == "item_family" else 100)
    if key in site.tables[kind].rows:
        raise duplicate("id", key)
    params.required("name", _TEXTS[kind]["name"])
    row: Row = {"id": key, "status": "active", "channel": "web"}
    row |= _MAKERS[kind](site, params)
    row |= {"object": kind, "deleted": False}
    if kind in ("plan", "addon"):  # Catalog 1.0 knows the status only
        del row["deleted"]
    _write(row, kind, params)
    site.add(kind, row)
    emit(site, f"{kind}_created", **{kind: row})
    return row


def _write(row: Row, kind: str, params: Params) -> None:
    for name, longest in _TEXTS[kind].items():
        if value := params.text(name, longest):
            row[name] = value
    if member := _METADATA.get(kind):
        write_custom(row, params, member)


def _family(_site: Site, _params: Params) -> Row:
    return {}


def _item(site: Site, params: Params) -> Row:
    family = site.find("item_family", params.required("item_family_id"))
    return {
        "item_family_id": family["id"], "type": _required_choice(params, "type", _ITEM_TYPES),
        "is_shippable": False, "is_giftable": bool(params.flag("is_giftable")),
        "enabled_for_checkout": True, "enabled_in_portal": True, "included_in_mrr": True,
        "item_applicability": "all", "metered": False, "applicable_items": [],
        "bundle_items": [],
    }  # fmt: skip


def _required_choice(params: Params, name: str, words: tuple[str, ...]) -> str:
    params.required(name)
    return str(params.choice(name, words))


def _item_price(site: Site, params: Params) -> Row:
    item = site.find("item", params.required("item_id"))
    row: Row = {
        "item_family_id": item["item_family_id"], "item_id": item["id"],
        "pricing_model": params.choice("pricing_model", _MODELS) or "flat_fee",
        "price": params.required_amount("price"),
        "currency_code": params.currency() or BASE_CURRENCY, "free_quantity": 0,
        "created_at": site.now, "is_taxable": params.flag("is_taxable") is not False,
        "item_type": item["type"], "show_description_in_invoices": False,
        "show_description_in_quotes": False,
    }  # fmt: skip
    if item["type"] == "charge":
        return row
    return row | _period(params)


def _period(params: Params) -> Row:
    return {
        "period": params.amount("period", 1) or 1,
        "period_unit": params.choice("period_unit", PERIODS) or "month",
    }


def _plan(_site: Site, params: Params) -> Row:
    row: Row = {
        "price": params.required_amount("price"), "currency_code": _currency(params),
        "pricing_model": params.choice("pricing_model", _MODELS) or "flat_fee",
        "free_quantity": 0, "addon_applicability": "all", "is_shippable": False,
        "enabled_in_hosted_pages": True, "enabled_in_portal": True, "giftable": False,
        "taxable": True, "show_description_in_invoices": False,
        "show_description_in_quotes": False, "applicable_addons": [], "attached_addons": [],
        "event_based_addons": [],
    }  # fmt: skip
    row["charge_model"] = row["pricing_model"]
    if setup := params.amount("setup_cost", 1):
        row["setup_cost"] = setup
    return row | _period(params)


def _addon(_site: Site, params: Params) -> Row:
    model = params.choice("pricing_model", _MODELS) or "flat_fee"
    return {
        "price": params.required_amount("price"), "currency_code": _currency(params),
        "pricing_model": model, "type": "quantity" if model == "per_unit" else "on_off",
        "charge_type": params.choice("charge_type", ("recurring", "non_recurring")) or "recurring",
        "is_shippable": False, "enabled_in_portal": True, "taxable": True,
        "show_description_in_invoices": False, "show_description_in_quotes": False,
    } | _period(params)  # fmt: skip


def _currency(params: Params) -> str:
    return params.currency() or BASE_CURRENCY


_MAKERS = {
    "item_family": _family, "item": _item, "item_price": _item_price, "plan": _plan,
    "addon": _addon,
}  # fmt: skip


def update(site: Site, kind: str, key: str, params: Params) -> Row:
    row = site.find(kind, key)
    _write(row, kind, params)
    if "price" in row and (price := params.amount("price")) is not None:
        row["price"] = price
    if "period" in row and params.has("period"):
        row |= _period(params)
    if (status := params.choice("status", ("active", "archived"))) is not None:
        row["status"] = status
    site.touch(kind, row)
    emit(site, f"{kind}_updated", **{kind: row})
    return row


def delete(site: Site, kind: str, key: str) -> Row:
    """A tombstone. Refused while something below it is alive."""
    row = site.find(kind, key)
    below = {"item_family": ("item", "item_family_id"), "item": ("item_price", "item_id")}
    if kind in below:
        child, member = below[kind]
        rows = site.tables[child].rows.values()
        if any(other[member] == key and not other["deleted"] for other in rows):
            raise wrong_state(f"The {kind} still has parts.")
    row["status"] = "deleted"
    row["deleted"] = True
    site.touch(kind, row)
    emit(site, f"{kind}_deleted", **{kind: row})
    return row


def sellable(site: Site, price_id: str, currency: str | None) -> Row:
    """An item price that can be sold now, in the currency if one is given."""
    price = site.find("item_price", price_id)
    if price["status"] != "active":
        raise wrong_state(f"The item price {price_id} is not active.")
    if currency is not None and price["currency_code"] != currency:
        raise wrong_value("item_price_id", f"{price_id} is not in {currency}")
    return price
