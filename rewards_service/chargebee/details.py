"""Members that only some rules look at: odd ones are left out, they quarantine nothing (pure)."""

from datetime import datetime

from rewards_service.chargebee import wire
from rewards_service.chargebee.wire import Payload
from rewards_service.kit.money import MAX_AMOUNT, is_amount


def country(payload: Payload) -> str | None:
    """ISO 3166 code of the billing address; None when there is none or it is no such code."""
    address = payload.get("billing_address")
    code = address.get("country") if isinstance(address, dict) else None
    is_code = isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()
    return str(code).upper() if is_code else None


def credits(payload: Payload) -> dict[str, tuple[int, datetime | None]]:
    """Credit notes that paid for the invoice: (minor units, when). Odd entries pay nothing."""
    given = payload.get("applied_credits")
    found: dict[str, tuple[int, datetime | None]] = {}
    for item in given if isinstance(given, list) else ():
        if not isinstance(item, dict) or not is_amount(item.get("applied_amount")):
            continue
        note_id = item.get("cn_id")
        if isinstance(note_id, str) and 0 < len(note_id) <= wire.MAX_ID and wire.is_clean(note_id):
            before = found.get(note_id, (0, None))[0]
            applied = min(before + item["applied_amount"], MAX_AMOUNT)
            found[note_id] = applied, wire.epoch(item.get("applied_at"))
    return found
