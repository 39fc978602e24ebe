"""Objects asked for by their id, as events of our own log: a replay meets them too.

What Chargebee's event would have done, such an event does. It is told of once for each version.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rewards_service.chargebee import wire
from rewards_service.chargebee.errors import NotThere
from rewards_service.chargebee.forms import Filter
from rewards_service.chargebee.operations import Chargebee, Collection
from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    PAYMENT,
    SUCCESS,
    TRANSACTION,
)
from rewards_service.chargebee.wire import Payload
from rewards_service.inbox import envelope
from rewards_service.inbox.models import BACKFILL
from rewards_service.inbox.recording import Delivery

_TYPES = {
    TRANSACTION: "transaction_updated", CREDIT_NOTE: "credit_note_updated",
    INVOICE: "invoice_updated",
}  # fmt: skip
_DELETED = {
    TRANSACTION: "transaction_deleted", CREDIT_NOTE: "credit_note_deleted",
    INVOICE: "invoice_deleted",
}  # fmt: skip


def fetched(site: Chargebee, kind: str, external_id: str) -> list[Delivery]:
    """The events that tell of an object as it stands: one, or none when Chargebee has no such.

    A successful payment comes with its customer and invoice, as payment_succeeded does.
    """
    payload = _get(_collection(site, kind), external_id)
    if payload is None:
        return []
    if kind == TRANSACTION and _is_paid(payload):
        return [_paid(site, payload)]
    types = _DELETED if payload.get("deleted") is True else _TYPES
    return [_told(types[kind], payload, {kind: payload})]


def linked_payments(site: Chargebee, invoice_id: str) -> Iterator[str]:
    """The ids of the payments that an invoice names."""
    invoice = _get(site.invoices, invoice_id)
    for link in wire.objects(invoice or {}, "linked_payments", ""):
        name = link.get("txn_id")
        if isinstance(name, str):
            yield name


def _paid(site: Chargebee, payment: Payload) -> Delivery:
    content: dict[str, Payload] = {TRANSACTION: payment}
    invoice = _paid_invoice(site, payment)
    if invoice is not None:
        content[INVOICE] = invoice
    owner = (invoice or payment).get("customer_id")
    customer = _get(site.customers, str(owner))
    if customer is None:  # then nobody can be found by it, and it is mirrored only
        return _told(_TYPES[TRANSACTION], payment, content)
    content[CUSTOMER] = customer
    return _told("payment_succeeded", payment, content)


def _paid_invoice(site: Chargebee, payment: Payload) -> Payload | None:
    """The first invoice that the payer had to pay: what was paid in advance may have been applied
    to somebody else's later."""
    payer = payment.get("customer_id")
    for link in wire.objects(payment, "linked_invoices", ""):
        invoice = _get(site.invoices, str(link.get("invoice_id")))
        if invoice is not None and payer in (
            invoice.get("customer_id"), invoice.get("payment_owner")
        ):  # fmt: skip
            return invoice
    return None


def _is_paid(payload: Payload) -> bool:
    is_money = (payload.get("type"), payload.get("status")) == (PAYMENT, SUCCESS)
    return is_money and payload.get("deleted") is not True


def _told(event_type: str, payload: Payload, content: Mapping[str, Payload]) -> Delivery:
    version = payload.get("resource_version") or payload.get("updated_at") or 0
    value: dict[str, Any] = {
        "id": f"fetched_{event_type}_{payload.get('id')}_{version}"[: envelope.MAX_EVENT_ID],
        "occurred_at": payload.get("updated_at") or payload.get("date"),
        "source": "api", "object": "event", "api_version": "v2", "event_type": event_type,
        "content": dict(content),
    }  # fmt: skip
    return envelope.listed(value)._replace(source=BACKFILL)


def _get(collection: Collection, external_id: str) -> Payload | None:
    """An object, also a deleted one; None when there is none."""
    try:
        return collection.retrieve(external_id)
    except NotThere:
        where = [Filter("id", "is", external_id)]
        return next(collection.each(where, include_deleted=True), None)


def _collection(site: Chargebee, kind: str) -> Collection:
    found = {
        TRANSACTION: site.transactions, CREDIT_NOTE: site.credit_notes, INVOICE: site.invoices
    }  # fmt: skip
    return found[kind]
