"""Chargebee's objects as typed values, from both product catalogues (pure).

Only what rewards need is read; the whole object is kept as canonical JSON beside it. Sources of
the shapes: the official event samples and type definitions; rules: DOMAIN A2, M10, M14, M18.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from rewards_service.chargebee import details, wire
from rewards_service.chargebee.lines import TAX_EXCLUSIVE, note_lines, read_lines, sums
from rewards_service.chargebee.wire import BadPayload, Payload
from rewards_service.kit.money import is_currency

# Longer texts live in the raw body of the event only.
LONGEST_KEPT_TEXT = 10_000

CUSTOMER = "customer"
INVOICE = "invoice"
TRANSACTION = "transaction"
CREDIT_NOTE = "credit_note"
KINDS = (CUSTOMER, INVOICE, TRANSACTION, CREDIT_NOTE)

PAYMENT = "payment"
REFUND = "refund"
REVERSAL = "payment_reversal"
SUCCESS = "success"


@dataclass(slots=True)
class Mirrored:
    """One version of one object: its key, its place among versions, its row, its children."""

    kind: str
    external_id: str
    resource_version: int
    deleted: bool
    body: bytes
    body_sha256: bytes
    columns: dict[str, Any]
    lines: list[dict[str, Any]]
    applications: list[tuple[str, int]]  # (invoice id, applied minor units), as listed
    refund_notes: list[tuple[str, str | None, int]]  # (note id, invoice id, minor units)
    credits: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)  # by note id
    changed_at: datetime | None = None  # of a listed object, in place of its event's time


def canonical_json(value: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces; equal objects, equal bytes."""
    try:
        return orjson.dumps(value, default=_real, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, default=_real, sort_keys=True, separators=(",", ":")).encode()


def _real(value: object) -> float:
    """A decimal of the API as the webhook's reader has it: one spelling, wherever it came from.

    Only for the body that is kept: what the books need is read from the exact value.
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"A {type(value).__name__} is not JSON.")
    return float(value)


def read(kind: str, payload: Payload, deleted: bool, is_long: bool, at: str) -> Mirrored:
    """Any mirrored object. BadPayload names the member that is not as it must be."""
    external_id = wire.required_id(payload, "id", at)
    version = wire.optional_amount(payload, "resource_version", at)
    gone = wire.flag(payload, "deleted", at) or deleted
    full = canonical_json(payload)
    kept = canonical_json(_cut(payload)) if is_long else full
    digest = sha256(full).digest()
    found = Mirrored(kind, external_id, version, gone, kept, digest, {}, [], [], [])
    _READERS[kind](found, payload, at)
    return found


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_KEPT_TEXT]
    if isinstance(value, dict):
        return {key: _cut(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_cut(member) for member in value]
    return value


def _read_customer(found: Mirrored, payload: Payload, at: str) -> None:
    email(payload, at)
    relationship = wire.optional_object(payload, "relationship", at) or {}
    found.columns = {
        "email": wire.free_text(payload.get("email")),
        "country": details.country(payload),
        "parent_id": wire.optional_id(relationship, "parent_id", f"{at}/relationship"),
        "root_id": wire.optional_id(relationship, "root_id", f"{at}/relationship"),
    }


def email(customer: Payload, at: str) -> str | None:
    """The raw e-mail of a customer; None when absent or null; BadPayload when it is no text."""
    value = customer.get("email")
    if value is not None and not isinstance(value, str):
        raise BadPayload(f"{at}/email", "must be a text")
    return value


def customer_name(customer: Payload) -> str | None:
    company = wire.free_text(customer.get("company"))
    if company:
        return company
    names = (wire.free_text(customer.get(part)) for part in ("first_name", "last_name"))
    return " ".join(name for name in names if name) or None


def _read_invoice(found: Mirrored, payload: Payload, at: str) -> None:
    price_type = wire.optional_id(payload, "price_type", at) or TAX_EXCLUSIVE
    found.lines = read_lines(payload, price_type, at)
    net, gross = sums(found.lines, at)
    found.columns = {
        "customer_id": wire.required_id(payload, "customer_id", at),
        "subscription_id": wire.optional_id(payload, "subscription_id", at),
        "status": wire.required_word(payload, "status", at),
        "currency": wire.required_currency(payload, "currency_code", at),
        "price_type": price_type,
        "total_minor": wire.required_amount(payload, "total", at),
        "tax_minor": wire.optional_amount(payload, "tax", at),
        "write_off_minor": wire.optional_amount(payload, "write_off_amount", at),
        "lines_net_minor": net,
        "lines_gross_minor": gross,
        "invoiced_at": wire.optional_time(payload, "date", at),
        "is_gifted": payload.get("is_gifted") is True,
        "country": details.country(payload),
    }
    found.credits = details.credits(payload)


def _read_transaction(found: Mirrored, payload: Payload, at: str) -> None:
    kind = wire.required_word(payload, "type", at)
    moves_money = kind in (PAYMENT, REFUND, REVERSAL)
    reader = wire.required_amount if moves_money else wire.optional_amount
    amount = reader(payload, "amount", at)
    if kind == PAYMENT:
        found.applications = _applications(payload, amount, at)
    if kind == REFUND:
        found.refund_notes = _refund_notes(payload, at)
    found.columns = {
        "customer_id": wire.optional_id(payload, "customer_id", at),
        "kind": kind,
        "status": wire.required_word(payload, "status", at),
        "payment_method": wire.free_text(payload.get("payment_method")),
        "currency": wire.required_currency(payload, "currency_code", at),
        "amount_minor": amount,
        "unused_minor": wire.optional_amount(payload, "amount_unused", at),
        "base_currency": _currency_or_none(payload.get("base_currency_code")),
        "exchange_rate": exchange_rate(payload.get("exchange_rate")),
        "dated_at": wire.optional_time(payload, "date", at),
        "source_id": _source(payload, kind, at),
    }


def _source(payload: Payload, kind: str, at: str) -> str | None:
    """The payment that a refund or reversal takes back; offline refunds name it differently."""
    if kind == PAYMENT:
        return None
    refunded = wire.optional_id(payload, "refunded_txn_id", at)
    return refunded or wire.optional_id(payload, "reference_transaction_id", at)


def _applications(payload: Payload, amount: int, at: str) -> list[tuple[str, int]]:
    """What the payment applied to which invoice; never more than it brought (M18)."""
    applied: dict[str, int] = {}
    for position, link in enumerate(wire.objects(payload, "linked_invoices", at)):
        where = f"{at}/linked_invoices/{position}"
        invoice_id = wire.required_id(link, "invoice_id", where)
        share = wire.required_amount(link, "applied_amount", where)
        applied[invoice_id] = applied.get(invoice_id, 0) + share
    if sum(applied.values()) > amount:
        raise BadPayload(f"{at}/linked_invoices", "apply more than the payment's amount")
    return list(applied.items())


def _refund_notes(payload: Payload, at: str) -> list[tuple[str, str | None, int]]:
    notes: dict[str, tuple[str | None, int]] = {}
    for position, link in enumerate(wire.objects(payload, "linked_credit_notes", at)):
        where = f"{at}/linked_credit_notes/{position}"
        note_id = wire.required_id(link, "cn_id", where)
        invoice_id = wire.optional_id(link, "cn_reference_invoice_id", where)
        share = wire.optional_amount(link, "applied_amount", where)
        notes[note_id] = (invoice_id, notes.get(note_id, (None, 0))[1] + share)
    return [(note_id, invoice_id, share) for note_id, (invoice_id, share) in notes.items()]


def _currency_or_none(value: object) -> str | None:
    return str(value) if is_currency(value) else None


def exchange_rate(value: object) -> str | None:
    """A positive rate as decimal text; None when it is missing or no rate."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    rate = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not rate.is_finite() or rate <= 0:
        return None
    text = f"{rate:f}"
    # 1.10 and 1.1 are one rate: the webhook's reader and the API's must say the same.
    return (text.rstrip("0").rstrip(".") if "." in text else text)[:60]


def _read_credit_note(found: Mirrored, payload: Payload, at: str) -> None:
    price_type = wire.optional_id(payload, "price_type", at) or TAX_EXCLUSIVE
    lines = read_lines(payload, price_type, at)
    found.lines = note_lines(payload, lines)
    total = wire.required_amount(payload, "total", at)
    net, gross = sums(lines, at)
    if not lines:
        net = wire.optional_amount(payload, "sub_total", at) or total
        gross = total
    found.columns = {
        "customer_id": wire.optional_id(payload, "customer_id", at),
        "invoice_id": wire.optional_id(payload, "reference_invoice_id", at),
        "kind": wire.required_word(payload, "type", at),
        "status": wire.required_word(payload, "status", at),
        "reason_code": wire.free_text(payload.get("reason_code")),
        "currency": wire.required_currency(payload, "currency_code", at),
        "price_type": price_type,
        "total_minor": total,
        "net_minor": net,
        "gross_minor": gross,
        "dated_at": wire.optional_time(payload, "date", at),
    }


_READERS = {
    CUSTOMER: _read_customer,
    INVOICE: _read_invoice,
    TRANSACTION: _read_transaction,
    CREDIT_NOTE: _read_credit_note,
}
