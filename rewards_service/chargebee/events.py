"""What an event means, from its body alone (pure).

`read_event` never raises on hostile input: it answers with a quarantine and its reason. What an
event does to the books is decided later, from everything known; here is only what it *says*.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rewards_service.chargebee import event_types, members, resources, wire
from rewards_service.chargebee.listed import LISTED, read_listed
from rewards_service.chargebee.resources import (
    CUSTOMER,
    INVOICE,
    KINDS,
    MONEY,
    PAYMENT,
    REFUND,
    REVERSAL,
    SUCCESS,
    TRANSACTION,
    Mirrored,
)
from rewards_service.chargebee.wire import BadPayload, Payload
from rewards_service.kit.emails import BadEmail, strict_key

HANDLED = event_types.HANDLED  # type -> the kind of what the event is about
PAYMENT_SUCCEEDED = event_types.PAYMENT_SUCCEEDED

_LONG_BODY = 100_000
_TAKEN_BACK = ("late_failure", "voided")


@dataclass(slots=True)
class PaymentFacts:
    """Who paid what and when, by one payment_succeeded event."""

    transaction_id: str
    customer_id: str  # whose payment it counts as (DOMAIN M14)
    email: str | None
    email_key: str | None
    customer_name: str | None
    paid_at: datetime


@dataclass(slots=True)
class Reading:
    """An event understood: what to mirror, the payment it tells of, the payment it takes back.

    `end` is its outcome when nothing more is to be decided; with `quarantined` a person looks.
    `takes_back` = (kind, Chargebee id) of the payment or voided invoice it reverses; the id is
    None when the event does not say which.
    """

    objects: list[Mirrored] = field(default_factory=list)
    payment: PaymentFacts | None = None
    takes_back: tuple[str, str | None] | None = None
    end: str | None = None
    quarantined: bool = False
    detail: str | None = None
    site: str | None = None


def read_event(event_type: str, body: Payload, body_size: int) -> Reading:
    """The meaning of an event body (a JSON object with `content`), `body_size` in bytes."""
    site = body.get("site")
    reading = Reading(site=site if isinstance(site, str) else None)
    if event_type not in HANDLED and event_type != LISTED:
        reading.end = "ignored"
        return reading
    try:
        if _is_api_v1(body):
            return _quarantine(reading, "api_v1", "The endpoint sends API version v1; use v2.")
        occurred_at = wire.required_time(body, "occurred_at", "")
        content = wire.required_object(body, "content", "")
        if event_type == LISTED:
            reading.objects = read_listed(content, occurred_at)
            return reading
        reading.objects = _objects(event_type, content, body_size > _LONG_BODY)
        if event_type == PAYMENT_SUCCEEDED:
            return _payment(reading, content)
        reading.takes_back = _takes_back(reading.objects, HANDLED[event_type])
    except BadPayload as problem:
        return _quarantine(reading, "bad_payload", str(problem))
    return reading


def _quarantine(reading: Reading, outcome: str, detail: str) -> Reading:
    """An event that is unsafe writes nothing but itself."""
    return Reading(end=outcome, quarantined=True, detail=detail, site=reading.site)


def _is_api_v1(body: Payload) -> bool:
    """By its word, or by an invoice of the old shape (`amount` where v2 has `total`)."""
    if body.get("api_version") == "v1":
        return True
    content = body.get("content")
    invoice = content.get(INVOICE) if isinstance(content, dict) else None
    return isinstance(invoice, dict) and "amount" in invoice and "total" not in invoice


def _objects(event_type: str, content: Payload, is_long: bool) -> list[Mirrored]:
    """Every mirrored object of the content; the one the event is about must be there.

    What no reward hangs on is left out when it cannot be read: it holds up no payment.
    """
    main = HANDLED[event_type]
    wire.required_object(content, main, "/content")
    found = []
    # By the names that are there: an event carries a few of the many kinds.
    for name in sorted(content.keys() & _KIND_OF.keys(), key=_ORDER.__getitem__):
        kind = _KIND_OF[name]
        strict = kind in MONEY or kind == main
        for payload, at in _payloads(content, name, strict):
            deleted = name == main and event_type == f"{main}_deleted"
            try:
                found.append(resources.begin(kind, payload, deleted, is_long, at))
            except BadPayload:
                if strict:
                    raise
    return found


# One object stands under the name of its kind, several under that or its plural.
_KIND_OF = {name: kind for kind in KINDS for name in (kind, f"{kind}s")}
_ORDER = {name: place for place, name in enumerate(_KIND_OF)}


def _payloads(content: Payload, name: str, strict: bool) -> Iterator[tuple[Payload, str]]:
    """(object, where it stands) of all that a member of the content holds."""
    value = content[name]
    if isinstance(value, dict):
        yield value, f"/content/{name}"
    elif value is not None:
        some = wire.objects(content, name, "/content") if strict else members.objects(value)
        for position, payload in enumerate(some):
            yield payload, f"/content/{name}/{position}"


def _payment(reading: Reading, content: Payload) -> Reading:
    transaction = next(item for item in reading.objects if item.kind == TRANSACTION)
    columns = transaction.columns
    if (columns["kind"], columns["status"]) != (PAYMENT, SUCCESS) or transaction.deleted:
        raise BadPayload("/content/transaction/status", "must be a successful payment")
    customer = wire.required_object(content, CUSTOMER, "/content")
    customer_id = wire.required_id(customer, "id", "/content/customer")
    payer_id = wire.required_id(content[TRANSACTION], "customer_id", "/content/transaction")
    paid_at = wire.required_time(content[TRANSACTION], "date", "/content/transaction")
    told = wire.optional_object(content, INVOICE, "/content")
    invoice = _paid_invoice(transaction, told)
    owner = (told or {}).get("payment_owner")
    if payer_id not in (customer_id, owner):
        detail = (
            "The transaction's customer is neither the event's nor the invoice's payment owner."
        )
        return _quarantine(reading, "customer_mismatch", detail)
    raw = resources.email(customer, "/content/customer")
    reading.payment = PaymentFacts(
        transaction_id=transaction.external_id,
        customer_id=payer_id if invoice is None else str(invoice["customer_id"]),
        email=wire.free_text(raw),
        email_key=_key(raw),
        customer_name=resources.customer_name(customer),
        paid_at=paid_at,
    )
    return reading


def _paid_invoice(transaction: Mirrored, invoice: Payload | None) -> dict[str, Any] | None:
    """The content's invoice when the payment was applied to it; another is only mirrored (M18)."""
    applied = {invoice_id for invoice_id, _ in transaction.applications}
    if invoice is None or invoice["id"] not in applied:
        return None
    if invoice["currency_code"] != transaction.columns["currency"]:
        raise BadPayload("/content/invoice/currency_code", "differs from the transaction's")
    return dict(invoice)


def _key(raw: str | None) -> str | None:
    try:
        return strict_key(raw)
    except BadEmail as problem:
        raise BadPayload("/content/customer/email", str(problem)) from problem


def _takes_back(found: list[Mirrored], main: str) -> tuple[str, str | None] | None:
    if main == TRANSACTION:
        transaction = next(item for item in found if item.kind == TRANSACTION)
        return _transaction_takes_back(transaction)
    if main == INVOICE:
        invoice = next(item for item in found if item.kind == INVOICE)
        if invoice.columns["status"] == "voided" or invoice.deleted:
            return INVOICE, invoice.external_id
    return None


def _transaction_takes_back(transaction: Mirrored) -> tuple[str, str | None] | None:
    columns = transaction.columns
    if columns["kind"] == PAYMENT:
        gone = transaction.deleted or columns["status"] in _TAKEN_BACK
        return (TRANSACTION, transaction.external_id) if gone else None
    settled = columns["status"] == SUCCESS and not transaction.deleted
    if columns["kind"] in (REFUND, REVERSAL) and settled:
        return TRANSACTION, columns["source_id"]
    return None
