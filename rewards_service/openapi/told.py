"""What the service sends to webhook endpoints, as OpenAPI 3.1 has it: `webhooks` (tables, pure).

Kept beside `outbound.event_types` and docs/outbound.md; tests compare all three, and what is sent.
"""

from typing import Any

from rewards_service.kit import ids, patterns
from rewards_service.openapi.operations import Json

_INTEGER: Json = {"type": "integer"}
_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_TEXTS: Json = {"type": "array", "items": _TEXT}


def _id(prefix: str) -> Json:
    return {"type": "string", "pattern": patterns.public_id(prefix)}


def _or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


_ENTRY: Json = {
    "type": "object",
    "required": ["kind", "amount_minor"],
    "properties": {"kind": _TEXT, "amount_minor": _INTEGER},
}
_REWARD: Json = {
    "id": _id("rew"), "partner_id": _id("par"), "customer_id": _id("cus"),
    "transaction_id": _id("txn"), "chargebee_invoice_id": _TEXT, "rule_id": _id("rul"),
    "rule_version": _INTEGER, "seq": _INTEGER, "amount_minor": _INTEGER, "currency": _TEXT,
    "status": _TEXT, "hold_reason": _or_null(_TEXT), "available_on": _DAY,
}  # fmt: skip
_POSTED = {**_REWARD, "entry": _ENTRY}
_MOVED = {**_REWARD, "from_status": _TEXT}
_PAYOUT: Json = {
    "id": _id("pay"), "partner_id": _id("par"), "currency": _TEXT, "cut_off": _DAY,
    "status": _TEXT, "total_minor": _INTEGER, "line_count": _INTEGER,
    "pay_currency": _or_null(_TEXT), "pay_total_minor": _or_null(_INTEGER),
    "paid_on": _or_null(_DAY), "reference": _or_null(_TEXT), "from_status": _or_null(_TEXT),
}  # fmt: skip
_CONVERTED: Json = {
    "id": _id("cus"), "source_partner_id": _or_null(_id("par")), "lead_id": _or_null(_id("led")),
    "deal_ids": {"type": "array", "items": _id("dea")}, "converted_at": _MOMENT,
}  # fmt: skip
_TRANSACTION: Json = {
    "id": _id("txn"), "customer_id": _id("cus"), "partner_id": _or_null(_id("par")),
    "integration_id": _id("int"), "amount_minor": _INTEGER, "currency": _TEXT,
    "occurred_at": _MOMENT, "status": _TEXT, "refunded_minor": _INTEGER,
    "properties": {
        "type": "object",
        "required": ["chargebee_transaction_id", "chargebee_invoice_id"],
        "properties": {"chargebee_transaction_id": _TEXT, "chargebee_invoice_id": _or_null(_TEXT)},
    },
    "chargebee_invoice_ids": _TEXTS,
}  # fmt: skip

# Type -> (when it is sent, the members of its `data`).
TOLD: dict[str, tuple[str, Json]] = {
    "reward.created": ("A reward was made.", _POSTED),
    "reward.adjusted": ("An amount was added to a reward, or taken from it.", _POSTED),
    "reward.reversed": ("A refund, chargeback, void or recalculation took from it.", _POSTED),
    "reward.held": ("A reward is on hold.", _MOVED),
    "reward.released": ("A reward is pending again.", _MOVED),
    "reward.approved": ("A reward may be paid out.", _MOVED),
    "reward.declined": ("A reward was refused.", _MOVED),
    "reward.paid": ("A reward was paid.", _MOVED),
    "payout.created": ("A draft of a payout was made.", _PAYOUT),
    "payout.submitted": ("A payout waits for the partner.", _PAYOUT),
    "payout.ready": ("A payout may be paid.", _PAYOUT),
    "payout.paid": ("A payout was paid.", _PAYOUT),
    "payout.cancelled": ("A payout was given up.", _PAYOUT),
    "customer.converted": ("A lead or deal became a paying customer.", _CONVERTED),
    "transaction.created": ("A payment of a known customer was recorded.", _TRANSACTION),
    "transaction.updated": ("A payment was refunded, reversed or moved.", _TRANSACTION),
    "transaction.withdrawn": ("A payment belongs to no known customer any more.", _TRANSACTION),
    "webhook.test": ("Somebody asked for a test.", {"webhook_endpoint_id": _id("whe")}),
}

_EXAMPLES: dict[str, Any] = {
    "amount_minor": 900, "currency": "USD", "chargebee_invoice_id": "INV-7", "rule_version": 1,
    "seq": 1, "hold_reason": None, "available_on": "2026-01-31", "cut_off": "2026-01-31",
    "total_minor": 900, "line_count": 1, "pay_currency": "USD", "pay_total_minor": 900,
    "paid_on": None, "reference": None, "refunded_minor": 0, "kind": "earn",
    "chargebee_transaction_id": "txn_1", "chargebee_invoice_ids": ["INV-7"],
}  # fmt: skip
_STATUSES = {
    "reward.created": ("pending", None), "reward.adjusted": ("pending", None),
    "reward.reversed": ("approved", None), "reward.held": ("hold", "pending"),
    "reward.released": ("pending", "hold"), "reward.approved": ("approved", "pending"),
    "reward.declined": ("declined", "pending"), "reward.paid": ("paid", "in_payout"),
    "payout.created": ("draft", None), "payout.submitted": ("pending", "draft"),
    "payout.ready": ("ready", "pending"), "payout.paid": ("paid", "ready"),
    "payout.cancelled": ("cancelled", "ready"),
}  # fmt: skip
_HEADERS = {
    "webhook-id": ("The id of the event, the same each time it is sent.", "msg_5f0c3b0e9d1f4a53"),
    "webhook-timestamp": ("When this attempt was made, in seconds since 1970.", "1767268800"),
    "webhook-signature": (
        "One or two signatures, as Standard Webhooks has them.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def _item(event_type: str) -> Json:
    when, members = TOLD[event_type]
    example = {
        "type": event_type,
        "timestamp": "2026-01-01T12:00:00Z",
        "data": _example(event_type, members),
    }
    return {
        "post": {
            "summary": when.rstrip("."),
            "description": "Signed, at least once, in order for each thing: docs/outbound.md.",
            "operationId": f"told_{event_type.replace('.', '_')}",
            "tags": ["webhook-endpoints"],
            "security": [],
            "parameters": [
                {"in": "header", "name": name, "required": True, "description": text,
                 "schema": _TEXT, "example": one}
                for name, (text, one) in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": _schema(event_type, members), "example": example}
                },
            },
            "responses": {
                "2XX": {"description": "Taken, within 15 seconds."},
                "410": {"description": "Gone: the endpoint is switched off."},
                "default": {"description": "Not taken: sent again for three days."},
            },
        }
    }  # fmt: skip


def _schema(event_type: str, members: Json) -> Json:
    data = {"type": "object", "required": list(members), "properties": members}
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {"type": {"const": event_type}, "timestamp": _MOMENT, "data": data},
    }


def _example(event_type: str, members: Json) -> Json:
    status, before = _STATUSES.get(event_type, ("succeeded", None))
    known = {**_EXAMPLES, "status": status, "from_status": before}
    return {name: known.get(name, _of(name, schema, known)) for name, schema in members.items()}


def _of(name: str, schema: Json, known: Json) -> Any:
    if "pattern" in schema:
        return ids.encode(schema["pattern"][1:4], 1)
    if schema.get("format") == "date-time":
        return "2026-01-01T11:59:50Z"
    if "properties" in schema:
        return {below: known[below] for below in schema["properties"]}
    return [] if schema["type"] == "array" else known[name]


WEBHOOKS: Json = {event_type: _item(event_type) for event_type in TOLD}
