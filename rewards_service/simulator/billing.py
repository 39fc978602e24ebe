"""From a subscription's term, or from charges by hand, to an invoice and its collection (pure)."""

from rewards_service.simulator.catalog import sellable
from rewards_service.simulator.errors import wrong_value
from rewards_service.simulator.invoices import Charge, Discount, Terms, generate
from rewards_service.simulator.payments import FAILURE, SUCCESS, pay
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.terms import later
from rewards_service.simulator.wire import Params

_ENTITIES = {
    "plan": "plan_item_price", "addon": "addon_item_price", "charge": "charge_item_price",
}  # fmt: skip


def bill(
    site: Site, row: Row, *, first: bool | None = None, proration: int | None = None
) -> Row | None:
    """The invoice of a subscription's term; None when nothing is to be paid for.

    first: the first invoice of it, with what is charged once. proration: instead of the term, so
    many minor units for a change.
    """
    is_first = row["current_term_start"] == row["started_at"] if first is None else first
    charges = _charges(site, row, is_first and proration is None)
    if proration is not None:
        charges = [_prorated(site, charges[0], proration)]
    if not charges:
        return None
    terms = Terms(
        row["currency_code"],
        () if proration is not None else discounts_of(site, row),
        recurring=True,
        gifted="gift_id" in row,
        net_term_days=site.find("customer", row["customer_id"])["net_term_days"],
    )
    return generate(site, _buyer(site, row), charges, terms)


def _buyer(site: Site, row: Row) -> str:
    """Whose charges they are: the gifter's of a gift, else the subscription's customer's."""
    if "gift_id" in row:
        return str(site.find("gift", row["gift_id"])["gifter"]["customer_id"])
    return str(row["customer_id"])


def _charges(site: Site, row: Row, first: bool) -> list[Charge]:
    term = row["current_term_start"], row["current_term_end"]
    common = (_buyer(site, row), row["id"], *term)
    found = []
    if "plan_id" in row:
        if first and row.get("setup_fee"):
            fee = row["setup_fee"]
            found.append(Charge("Setup", "plan_setup", row["plan_id"], fee, 1, *common))
        plan = (row["plan_id"], row["plan_unit_price"], row["plan_quantity"])
        found.append(_charge(site, "plan", *plan, common))
        for item in row.get("addons", ()):
            sold = (item["id"], item["unit_price"], item["quantity"])
            found.append(_charge(site, "addon", *sold, common))
    for item in row.get("subscription_items", ()):
        if item["item_type"] != "charge" or first:
            price = site.find("item_price", item["item_price_id"], deleted=True)
            found.append(Charge(
                price["name"], _ENTITIES[item["item_type"]], price["id"], item["unit_price"],
                item["quantity"], *common, price["pricing_model"], price["is_taxable"],
            ))  # fmt: skip
    return found


def _charge(
    site: Site, kind: str, key: str, unit_minor: int, quantity: int,
    common: tuple[str, str, int, int],
) -> Charge:  # fmt: skip
    sold = site.find(kind, key, deleted=True)
    return Charge(sold["name"], kind, key, unit_minor, quantity, *common, sold["pricing_model"])


def _prorated(site: Site, charge: Charge, amount: int) -> Charge:
    return Charge(
        f"{charge.description} - prorated", charge.entity_type, charge.entity_id, amount, 1,
        charge.customer_id, charge.subscription_id, site.now, charge.to_at,
        charge.pricing_model, charge.taxable,
    )  # fmt: skip


def discounts_of(site: Site, row: Row) -> list[Discount]:
    """The subscription's discounts that count in this term; each counts its uses."""
    found = []
    for item in row.get("discounts", ()):
        kind = item["duration_type"]
        if kind == "one_time" and item["applied_count"]:
            continue
        if kind == "limited_period":
            last = later(item["created_at"], item["period"], item["period_unit"])
            if site.now >= last:
                continue
        item["applied_count"] += 1
        found.append(
            Discount(item.get("percentage"), item.get("amount", 0), item.get("item_price_id"))
        )
    return found


def collect(site: Site, row: Row, invoice: Row | None) -> Row | None:
    """Take the invoice's money from the payer's card, if there is one and it may be used."""
    if invoice is None or not invoice["amount_to_collect"] or row["auto_collection"] == "off":
        return invoice
    payer = site.find("customer", invoice.get("payment_owner", invoice["customer_id"]))
    if payer["auto_collection"] == "on" and payer["card_status"] == "valid":
        declined = payer.get("cf_declined") == "true"
        pay(site, invoice, status=FAILURE if declined else SUCCESS)
    return invoice


def one_time(site: Site, params: Params) -> Row:
    """An invoice for charges by hand: item prices of type charge, or amounts with a text."""
    customer = site.find("customer", params.required("customer_id", 50))
    currency = params.currency() or _currency(site, params) or customer["preferred_currency_code"]
    charges = []
    for entry in params.rows("item_prices"):
        price = sellable(site, entry.required("item_price_id"), currency)
        unit_minor = entry.amount("unit_price")
        charges.append(Charge(
            price["name"], _ENTITIES[price["item_type"]], price["id"],
            price["price"] if unit_minor is None else unit_minor,
            entry.amount("quantity", 1) or 1, customer["id"], params.text("subscription_id"),
            site.now, site.now, price["pricing_model"], price["is_taxable"],
        ))  # fmt: skip
    for entry in params.rows("charges"):
        charges.append(Charge(
            entry.required("description"), "adhoc", None, entry.required_amount("amount", 1), 1,
            customer["id"], params.text("subscription_id"), site.now, site.now,
            taxable=entry.flag("taxable") is not False,
        ))  # fmt: skip
    if not charges:
        raise wrong_value("item_prices", "or charges are needed")
    terms = Terms(currency, _discounts(params), net_term_days=params.amount("net_term_days") or 0)
    invoice = generate(site, customer["id"], charges, terms)
    auto = params.choice("auto_collection", ("on", "off")) or customer["auto_collection"]
    collect(site, {"auto_collection": auto}, invoice)
    return invoice


def _currency(site: Site, params: Params) -> str | None:
    """The currency of the first item price; None when only amounts are charged."""
    found = params.rows("item_prices")
    if not found:
        return None
    return str(sellable(site, found[0].required("item_price_id"), None)["currency_code"])


def _discounts(params: Params) -> list[Discount]:
    return [
        Discount(
            entry.percent("percentage"), entry.amount("amount") or 0, entry.text("item_price_id")
        )
        for entry in params.rows("discounts")
    ]
