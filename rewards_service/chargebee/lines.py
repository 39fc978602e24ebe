"""Line items of invoices and credit notes, and their sums (pure)."""

from typing import Any

from rewards_service.chargebee import wire
from rewards_service.chargebee.documents import LINE
from rewards_service.chargebee.wire import BadPayload, Payload
from rewards_service.kit.money import MAX_AMOUNT

TAX_EXCLUSIVE = "tax_exclusive"
TAX_INCLUSIVE = "tax_inclusive"


def read_lines(payload: Payload, price_type: str, at: str) -> list[dict[str, Any]]:
    """Rows of the lines of an invoice or credit note; net is without discounts and tax (A2)."""
    found = []
    for position, line in enumerate(wire.objects(payload, "line_items", at)):
        where = f"{at}/line_items/{position}"
        amount = wire.required_amount(line, "amount", where)
        item_level = wire.optional_amount(line, "item_level_discount_amount", where)
        whole = wire.optional_amount(line, "discount_amount", where)
        discount = item_level if line.get("discount_amount") is None else whole
        tax = wire.optional_amount(line, "tax_amount", where)
        net = amount - discount - (tax if price_type == TAX_INCLUSIVE else 0)
        if abs(net) > MAX_AMOUNT:
            raise BadPayload(where, "comes to less than any amount can be")
        found.append(
            {
                "position": position,
                "line_id": wire.optional_id(line, "id", where),
                "entity_type": wire.free_text(line.get("entity_type")),
                "entity_id": wire.free_text(line.get("entity_id")),
                "subscription_id": wire.optional_id(line, "subscription_id", where),
                "customer_id": wire.optional_id(line, "customer_id", where),
                "amount_minor": amount,
                "discount_minor": discount,
                "tax_minor": tax,
                "net_minor": net,
                "service_from_at": wire.epoch(line.get("date_from")),
                "service_to_at": wire.epoch(line.get("date_to")),
                **LINE.read(line),
            }
        )
    return found


def sums(lines: list[dict[str, Any]], at: str) -> tuple[int, int]:
    """(net, gross) over all lines. `amount` holds the tax already when prices include it."""
    net = sum(line["net_minor"] for line in lines)
    gross = net + sum(line["tax_minor"] for line in lines)
    if not (-MAX_AMOUNT <= net <= MAX_AMOUNT and -MAX_AMOUNT <= gross <= MAX_AMOUNT):
        raise BadPayload(f"{at}/line_items", "sum to more than any amount can be")
    return max(net, 0), max(gross, 0)


def note_lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a credit note's lines, with what each takes back."""
    return [{**line, "gross_minor": line["net_minor"] + line["tax_minor"]} for line in lines]
