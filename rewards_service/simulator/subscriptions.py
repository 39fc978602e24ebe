"""Subscriptions of both catalogues: started, renewed, changed, cancelled (pure)."""

from rewards_service.simulator import credit_notes
from rewards_service.simulator.billing import bill, collect
from rewards_service.simulator.customers import money_members, refresh_balances, write_custom
from rewards_service.simulator.errors import duplicate, missing, wrong_state
from rewards_service.simulator.events import emit
from rewards_service.simulator.items import read_discounts, read_items, read_plan
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.terms import later, monthly, remaining
from rewards_service.simulator.wire import Params

ALIVE = ("active", "non_renewing", "in_trial")


def create(site: Site, customer_id: str, params: Params) -> tuple[Row, Row | None]:
    """(the subscription, its first invoice): billed at once unless it begins with a trial."""
    customer = site.find("customer", customer_id)
    key = params.text("id", 50) or site.new_id()
    if key in site.tables["subscription"].rows:
        raise duplicate("id", key)
    by_plan = params.has("plan_id")
    bought, period, unit, currency = (read_plan if by_plan else read_items)(site, params)
    trial_end = params.amount("trial_end")
    in_trial = trial_end is not None and trial_end > site.now
    row: Row = {
        "id": key, "billing_period": period, "billing_period_unit": unit,
        "auto_collection": params.choice("auto_collection", ("on", "off"))
        or customer["auto_collection"],
        "customer_id": customer["id"], "status": "in_trial" if in_trial else "active",
        "created_at": site.now, "started_at": site.now, "has_scheduled_changes": False,
        "channel": "web", "deleted": False, "object": "subscription",
        **money_members(currency), **bought, "due_invoices_count": 0, "mrr": 0,
        "has_scheduled_advance_invoices": False,
    }  # fmt: skip
    if in_trial and trial_end is not None:
        row |= {"trial_start": site.now, "trial_end": trial_end, "next_billing_at": trial_end}
    if found := read_discounts(site, params, currency):
        row["discounts"] = found
    write_custom(row, params, "meta_data")
    if in_trial:
        site.add("subscription", row)
        emit(site, "subscription_created", subscription=row, customer=customer)
        return row, None
    row["activated_at"] = site.now
    return row, _first_term(site, row, customer)


def _first_term(site: Site, row: Row, customer: Row) -> Row | None:
    _set_term(row, site.now)
    row["mrr"] = worth(row)
    site.add("subscription", row)
    invoice = bill(site, row)
    refresh_balances(site, customer["id"])
    emit(site, "subscription_created", subscription=row, customer=customer, invoice=invoice)
    return collect(site, row, invoice)


def _set_term(row: Row, start: int) -> None:
    end = later(start, row["billing_period"], row["billing_period_unit"])
    row |= {"current_term_start": start, "current_term_end": end, "next_billing_at": end}


def recurring(row: Row) -> int:
    """What one term costs before discounts and tax, minor units."""
    if "plan_id" in row:
        return int(row["plan_amount"] + sum(item["amount"] for item in row.get("addons", ())))
    items = row["subscription_items"]
    return sum(item["amount"] for item in items if item["item_type"] != "charge")


def worth(row: Row) -> int:
    """Monthly recurring revenue, minor units, before discounts."""
    return monthly(recurring(row), row["billing_period"], row["billing_period_unit"])


def renew(site: Site, row: Row) -> Row | None:
    """The next term begins: an invoice, collected when it can be. A cancelled one ends instead."""
    if row["status"] not in ALIVE:
        raise wrong_state(f"Subscription {row['id']} is {row['status']}.")
    customer = site.find("customer", row["customer_id"])
    if row["status"] == "non_renewing":
        end(site, row)
        return None
    was_trial = row["status"] == "in_trial"
    _set_term(row, row["next_billing_at"])
    row["status"] = "active"
    row.setdefault("activated_at", site.now)
    row["mrr"] = worth(row)
    invoice = bill(site, row, first=was_trial)
    site.touch("subscription", row)
    refresh_balances(site, customer["id"])
    event_type = "subscription_activated" if was_trial else "subscription_renewed"
    emit(site, event_type, subscription=row, customer=customer, invoice=invoice)
    _use_credits(site, invoice)
    return collect(site, row, invoice)


def _use_credits(site: Site, invoice: Row | None) -> None:
    """Credit notes that wait for a refund pay first."""
    if invoice is None:
        return
    for note in site.of_customer("credit_note", invoice["customer_id"]):
        usable = note["status"] == "refund_due" and note["amount_available"]
        same = note["currency_code"] == invoice["currency_code"]
        if usable and same and invoice["amount_to_collect"]:
            credit_notes.use(site, note, invoice)


def change(site: Site, row: Row, params: Params) -> tuple[Row | None, Row | None]:
    """Other items or quantities from now on: (an invoice for the rest of the term, or a credit).

    Raises ApiError when there is nothing to change.
    """
    if row["status"] not in ALIVE:
        raise wrong_state(f"Subscription {row['id']} is {row['status']}.")
    before = recurring(row)
    _rewrite(site, dict(row), params)  # a refusal leaves nothing half changed
    _rewrite(site, row, params)
    row["mrr"] = worth(row) if row["status"] == "active" else 0
    difference = recurring(row) - before
    invoice = note = None
    if row["status"] == "active" and difference:
        term = row["current_term_start"], row["current_term_end"]
        amount = remaining(abs(difference), *term, site.now)
        if difference > 0 and amount:
            invoice = bill(site, row, proration=amount)
        elif amount:
            note = give_back(site, row, amount, "subscription_change")
    site.touch("subscription", row)
    customer = site.find("customer", row["customer_id"])
    refresh_balances(site, customer["id"])
    emit(
        site, "subscription_changed", subscription=row, customer=customer, invoice=invoice,
        credit_notes=None if note is None else [note],
    )  # fmt: skip
    return collect(site, row, invoice), note


def _rewrite(site: Site, row: Row, params: Params) -> None:
    if params.has("plan_id") or ("plan_id" in row and params.has("plan_quantity")):
        params.given.setdefault("plan_id", row.get("plan_id"))
        bought = read_plan(site, params)[0]
        row |= bought
    elif params.inside("subscription_items").given:
        bought = read_items(site, params)[0]
        new = {item["item_price_id"] for item in bought["subscription_items"]}
        kept = [] if params.flag("replace_items_list") else row.get("subscription_items", [])
        row["subscription_items"] = [
            *(item for item in kept if item["item_price_id"] not in new),
            *bought["subscription_items"],
        ]
    elif not params.inside("discounts").given:
        raise missing("subscription_items[item_price_id][0]")
    if found := read_discounts(site, params, row["currency_code"]):
        row["discounts"] = found


def give_back(site: Site, row: Row, amount: int, reason: str) -> Row | None:
    """A credit note for what was paid too much, on the newest invoice that bears it."""
    for invoice in reversed(site.of_customer("invoice", row["customer_id"])):
        if invoice.get("subscription_id") != row["id"] or invoice["status"] == "voided":
            continue
        most = min(amount, credit_notes.creditable(site, invoice))
        if most > 0:
            return credit_notes.create(site, invoice, most, credit_notes.REFUNDABLE, reason)
    return None


def cancel(site: Site, row: Row, params: Params) -> Row | None:
    """Cancel now (with a credit for the rest if asked for) or at the end of the term."""
    if row["status"] not in ALIVE:
        raise wrong_state(f"Subscription {row['id']} is {row['status']}.")
    late = params.flag("end_of_term") or params.text("cancel_option") == "end_of_term"
    customer = site.find("customer", row["customer_id"])
    if late and row["status"] == "active":
        row |= {"status": "non_renewing", "cancelled_at": row["current_term_end"]}
        row |= {"cancel_schedule_created_at": site.now}
        site.touch("subscription", row)
        emit(site, "subscription_cancellation_scheduled", subscription=row, customer=customer)
        return None
    note = None
    if params.text("credit_option_for_current_term_charges") == "prorate" and worth(row):
        term = row["current_term_start"], row["current_term_end"]
        amount = remaining(recurring(row), *term, site.now)
        note = give_back(site, row, amount, "subscription_cancellation") if amount else None
    end(site, row, note)
    return note


def end(site: Site, row: Row, note: Row | None = None) -> None:
    row |= {"status": "cancelled", "cancelled_at": site.now, "mrr": 0}
    row.pop("next_billing_at", None)
    site.touch("subscription", row)
    customer = site.find("customer", row["customer_id"])
    refresh_balances(site, customer["id"])
    emit(
        site, "subscription_cancelled", subscription=row, customer=customer,
        credit_notes=None if note is None else [note],
    )  # fmt: skip


def delete(site: Site, row: Row) -> None:
    row |= {"deleted": True, "status": "cancelled", "mrr": 0}
    site.touch("subscription", row)
    customer = site.find("customer", row["customer_id"])
    refresh_balances(site, customer["id"])
    emit(site, "subscription_deleted", subscription=row, customer=customer)
