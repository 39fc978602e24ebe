"""Events that correct what was told before, and what the books hold of a payment."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.properties.models import PropertyDefinition, PropertyValue
from tests.builders.chargebee import (
    Json,
    at,
    credit_note,
    event,
    payment,
)
from tests.builders.world import World


def updated(name: str, amount: int, applied: dict[str, int], day: float, **members: Any) -> Json:
    newer = payment(f"txn_{name}", "cb_1", amount, applied, 0, **members)
    newer["resource_version"] = int(at(day).timestamp() * 1000)
    return event(f"ev_{name}_{day}", "transaction_updated", day, transaction=newer)


def noted(name: str, invoice_id: str, total: int, day: float, **members: Any) -> Json:
    return event(
        f"ev_{name}_{day}", "credit_note_updated", day,
        credit_note=credit_note(name, invoice_id, total, day, **members),
    )  # fmt: skip


def properties(world: World, key: str) -> list[str]:
    """The values of one property, in their order."""
    query = (
        select(PropertyValue.value)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(PropertyDefinition.key == key)
        .order_by(PropertyValue.subject_id, PropertyValue.position)
    )
    with Session(world.engine) as session:
        return list(session.scalars(query))
