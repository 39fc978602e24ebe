"""Chargebee's objects as typed values, from both product catalogues (pure).

What rewards need is read strictly, what revenue needs leniently; the whole object is kept as
canonical JSON beside it. Sources of the shapes: the official event samples and type definitions;
rules: DOMAIN A2, M10, M14, M18.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from rewards_service.chargebee import canonical, details, documents, links, members, wire
from rewards_service.chargebee.catalog import CATALOG, GIFT, read_catalog
from rewards_service.chargebee.lines import TAX_EXCLUSIVE, note_lines, read_lines, sums
from rewards_service.chargebee.members import Row
from rewards_service.chargebee.subscriptions import SUBSCRIPTION, read_subscription
from rewards_service.chargebee.wire import BadPayload, Payload

canonical_json = canonical.canonical_json

CUSTOMER = "customer"
INVOICE = "invoice"
TRANSACTION = "transaction"
CREDIT_NOTE = "credit_note"
MONEY = (CUSTOMER, INVOICE, TRANSACTION, CREDIT_NOTE)  # what rewards hang on
KINDS = (*MONEY, SUBSCRIPTION, *CATALOG, GIFT)

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
    columns: Row = field(default_factory=dict)
    parts: dict[str, list[Row]] = field(default_factory=dict)  # lines, items, ..., by name
    # (invoice id, applied minor units), as listed
    applications: list[tuple[str, int]] = field(default_factory=list)
    # (note id, invoice id, minor units)
    refund_notes: list[tuple[str, str | None, int]] = field(default_factory=list)
    credits: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)  # by note id
    unread: Payload | None = None  # until `finish`
    changed_at: datetime | None = None  # of a listed object, in place of its event's time


def read(
    kind: str, payload: Payload, deleted: bool = False, is_long: bool = False, at: str = ""
) -> Mirrored:
    """Any mirrored object (`KINDS`), from an event or a list of the API.

    deleted: its event says so, whatever it says itself. is_long: its texts may be beyond what is
    kept. BadPayload names the member, below `at`, that is not as it must be.
    """
    found = begin(kind, payload, deleted, is_long, at)
    finish(found)
    return found


def begin(kind: str, payload: Payload, deleted: bool, is_long: bool, at: str) -> Mirrored:
    """As `read`, but without columns and parts where no reward hangs on them: see `finish`."""
    external_id = wire.required_id(payload, "id", at)
    version = wire.optional_amount(payload, "resource_version", at)
    # Plans and addons have no `deleted`.
    is_gone = kind in CATALOG and payload.get("status") == "deleted"
    gone = wire.flag(payload, "deleted", at) or deleted or is_gone
    kept = canonical.cut(payload) if is_long else payload
    body = canonical_json(kept)
    digest = sha256(canonical_json(payload) if is_long else body).digest()
    found = Mirrored(kind, external_id, version, gone, body, digest)
    if kind not in MONEY:
        found.unread = kept
        return found
    _READERS[kind](found, payload, at)
    if kind != TRANSACTION:
        _read_custom(found, kept)
    return found


def finish(found: Mirrored) -> None:
    """Read what is still to be read. Most often the mirror has a version already, and need not."""
    if found.unread is None:
        return
    payload, found.unread = found.unread, None
    if found.kind == SUBSCRIPTION:
        found.columns, found.parts = read_subscription(payload)
    else:
        found.columns, found.parts = read_catalog(found.kind, payload)
    if found.kind != GIFT:
        _read_custom(found, payload)


def _read_custom(found: Mirrored, payload: Payload) -> None:
    """What the site itself defined: members named cf_..., with their case, and free metadata."""
    free = payload.get("meta_data") or payload.get("metadata")
    # Most objects have none, and looking at each name would take as long as all the rest.
    has_fields = b'"cf_' in found.body
    fields = {n: v for n, v in payload.items() if n.startswith("cf_")} if has_fields else None
    found.columns["custom_fields"] = _spelled(fields)
    found.columns["meta_data"] = _spelled(free if isinstance(free, dict) else None)


def _spelled(value: object) -> str | None:
    return canonical_json(value).decode() if value else None


def _read_customer(found: Mirrored, payload: Payload, at: str) -> None:
    email(payload, at)
    relationship = wire.optional_object(payload, "relationship", at) or {}
    found.columns = {
        "email": wire.free_text(payload.get("email")),
        "country": details.country(payload),
        "parent_id": wire.optional_id(relationship, "parent_id", f"{at}/relationship"),
        "root_id": wire.optional_id(relationship, "root_id", f"{at}/relationship"),
        **_OWNERS.read(relationship),
        **_PERSON.read(payload),
    }


_OWNERS = members.Shape(*members.members(members.name_of, "payment_owner_id", "invoice_owner_id"))
_PERSON = members.Shape(
    *members.members(members.text, "company"),
    *members.members(members.name_of, "business_entity_id"),
    *members.members(members.time, "created_at"),
)


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
    lines = read_lines(payload, price_type, at)
    net, gross = sums(lines, at)
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
        **documents.read_invoice_rest(payload),
    }
    _read_parts(found, payload, lines)
    found.credits = details.credits(payload)


def _read_parts(found: Mirrored, payload: Payload, lines: list[Row]) -> None:
    rates = found.columns["exchange_rates"]
    found.columns["exchange_rates"] = _spelled(rates)
    found.parts = {
        "lines": lines,
        "discounts": documents.read_discounts(found.kind, payload),
        "taxes": documents.read_taxes(found.kind, payload),
    }


def _read_transaction(found: Mirrored, payload: Payload, at: str) -> None:
    kind = wire.required_word(payload, "type", at)
    moves_money = kind in (PAYMENT, REFUND, REVERSAL)
    reader = wire.required_amount if moves_money else wire.optional_amount
    amount = reader(payload, "amount", at)
    if kind == PAYMENT:
        found.applications = links.applications(payload, amount, at)
    if kind == REFUND:
        found.refund_notes = links.refund_notes(payload, at)
    found.columns = {
        "customer_id": wire.optional_id(payload, "customer_id", at),
        "kind": kind,
        "status": wire.required_word(payload, "status", at),
        "payment_method": wire.free_text(payload.get("payment_method")),
        "currency": wire.required_currency(payload, "currency_code", at),
        "amount_minor": amount,
        "unused_minor": wire.optional_amount(payload, "amount_unused", at),
        "base_currency": members.currency(payload.get("base_currency_code")),
        "exchange_rate": members.rate(payload.get("exchange_rate")),
        "dated_at": wire.optional_time(payload, "date", at),
        "source_id": None if kind == PAYMENT else links.source(payload, at),
    }


def _read_credit_note(found: Mirrored, payload: Payload, at: str) -> None:
    price_type = wire.optional_id(payload, "price_type", at) or TAX_EXCLUSIVE
    lines = read_lines(payload, price_type, at)
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
        **documents.read_note_rest(payload),
    }
    # What was voided adds nothing to anything: its row alone stays, for older versions to meet.
    stands = found.columns["status"] != "voided"
    _read_parts(found, payload if stands else {}, note_lines(lines) if stands else [])


_READERS = {
    CUSTOMER: _read_customer,
    INVOICE: _read_invoice,
    TRANSACTION: _read_transaction,
    CREDIT_NOTE: _read_credit_note,
}
