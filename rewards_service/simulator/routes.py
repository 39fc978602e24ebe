"""The paths of the API and what stands behind each (pure).

Those of openapi.json, and a few that it leaves out: plans and addons of Catalog 1.0, gifts,
collecting, applying payments and credits, refunds of credit notes.
"""

import re
from typing import NamedTuple

from rewards_service.simulator import note_operations as notes
from rewards_service.simulator import operations as do
from rewards_service.simulator.errors import no_such_page, wrong_method
from rewards_service.simulator.operations import Operation

LISTS = {
    "customers": "customer", "item_families": "item_family", "items": "item",
    "item_prices": "item_price", "plans": "plan", "addons": "addon",
    "subscriptions": "subscription", "invoices": "invoice", "credit_notes": "credit_note",
    "transactions": "transaction", "gifts": "gift", "events": "event",
    "webhook_endpoints": "webhook_endpoint",
}  # fmt: skip
# Lists narrowed by their path: (of what, list of) -> member that must be the path's id.
NARROWED = {
    ("customers", "invoices"): "customer_id",
    ("customers", "subscriptions"): "customer_id",
    ("customers", "transactions"): "customer_id",
    ("customers", "credit_notes"): "customer_id",
    ("subscriptions", "invoices"): "subscription_id",
    ("subscriptions", "transactions"): "subscription_id",
    ("invoices", "payments"): "linked_invoices",
}
WRITES: dict[str, Operation] = {
    "/customers": do.create_customer,
    "/customers/*": do.update_customer,
    "/customers/*/update_billing_info": do.update_billing,
    "/customers/*/delete": do.delete_customer,
    "/customers/*/relationships": do.link_customer,
    "/customers/*/delete_relationship": do.unlink_customer,
    "/customers/*/record_excess_payment": do.excess,
    "/customers/*/subscription_for_items": do.subscribe,
    "/customers/*/subscriptions": do.subscribe,
    "/subscriptions/*/update_for_items": do.change_subscription,
    "/subscriptions/*": do.change_subscription,
    "/subscriptions/*/cancel_for_items": do.cancel_subscription,
    "/subscriptions/*/cancel": do.cancel_subscription,
    "/subscriptions/*/delete": do.delete_subscription,
    "/invoices/create_for_charge_items_and_charges": do.charge,
    "/invoices/*/record_payment": do.record_payment,
    "/invoices/*/collect_payment": do.collect,
    "/invoices/*/apply_payments": do.apply_payments,
    "/invoices/*/apply_credits": do.apply_credits,
    "/invoices/*/refund": do.refund_invoice,
    "/invoices/*/record_refund": do.record_refund,
    "/invoices/*/void": do.void_invoice,
    "/invoices/*/write_off": notes.write_off,
    "/invoices/*/delete": do.delete_invoice,
    "/transactions/*/refund": do.refund_payment,
    "/transactions/*/record_refund": do.record_payment_refund,
    "/transactions/*/void": do.void_payment,
    "/transactions/*/delete_offline_transaction": do.delete_payment,
    "/credit_notes": notes.create,
    "/credit_notes/*/void": notes.void,
    "/credit_notes/*/delete": notes.delete,
    "/credit_notes/*/refund": notes.refund,
    "/credit_notes/*/record_refund": notes.record_refund,
    "/gifts/create_for_items": notes.give,
    "/gifts/*/claim": notes.claim,
}
for _path in ("item_families", "items", "item_prices", "plans", "addons"):
    WRITES[f"/{_path}"] = do.create_of(LISTS[_path])
    WRITES[f"/{_path}/*"] = do.update_of(LISTS[_path])
    WRITES[f"/{_path}/*/delete"] = do.delete_of(LISTS[_path])
_ENDPOINT_WRITE = re.compile(r"^/webhook_endpoints(?:/([^/]+))?(?:/(delete))?$")


class Write(NamedTuple):
    """A call that changes something, with the ids of its path."""

    operation: Operation
    ids: tuple[str, ...]


class Reading(NamedTuple):
    """A call that reads: a list of `kind`, narrowed by `owner` or not, or the one `key`."""

    kind: str
    key: str | None = None
    member: str | None = None
    owner: str | None = None


def endpoint_write(path: str) -> tuple[str | None, bool] | None:
    """(id, delete?) when the path writes a webhook endpoint."""
    found = _ENDPOINT_WRITE.match(path)
    return None if found is None else (found[1], found[2] is not None)


def find_write(path: str) -> Write:
    """Raises ApiError for a path that cannot be written to."""
    found = _write(path)
    if found is not None:
        return found
    raise no_such_page(path) if _reading(path) is None else wrong_method("POST")


def find_read(path: str) -> Reading:
    """Raises ApiError for a path that cannot be read."""
    found = _reading(path)
    if found is not None:
        return found
    raise no_such_page(path) if _write(path) is None else wrong_method("GET")


def _write(path: str) -> Write | None:
    if path in WRITES:
        return Write(WRITES[path], ())
    parts = path.split("/")
    if len(parts) > 2 and (pattern := "/".join([*parts[:2], "*", *parts[3:]])) in WRITES:
        return Write(WRITES[pattern], (parts[2],))
    return None


def _reading(path: str) -> Reading | None:
    parts = path.strip("/").split("/")
    kind = LISTS.get(parts[0])
    if kind is None or len(parts) > 3:
        return None
    if len(parts) <= 2:
        return Reading(kind, key=parts[1] if len(parts) == 2 else None)
    if (parts[0], parts[2]) == ("customers", "hierarchy"):
        return Reading("hierarchy", key=parts[1])
    member = NARROWED.get((parts[0], parts[2]))
    if member is None:
        return None
    inside = "transaction" if parts[2] == "payments" else LISTS[parts[2]]
    return Reading(inside, member=member, owner=parts[1])
