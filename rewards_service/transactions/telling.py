"""What others are told of transactions: events for those who asked (see docs/outbound.md)."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.bulk import among
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.db import chunks
from rewards_service.outbound.announcing import announce, wanted
from rewards_service.transactions.models import Transaction
from rewards_service.transactions.queries import invoices_of

CREATED = "transaction.created"
UPDATED = "transaction.updated"
WITHDRAWN = "transaction.withdrawn"


def tell(session: Session, event_type: str, transaction_ids: Collection[int]) -> None:
    """Announce that something happened to recorded payments, and how they stand now."""
    if not transaction_ids or not wanted(session, [event_type]):
        return
    for some in chunks(sorted(transaction_ids)):
        query = select(Transaction).where(among(session, Transaction.id, some))
        fresh = {"populate_existing": True}  # rows are written in bulk, beside the objects
        rows = session.scalars(query.order_by(Transaction.id), execution_options=fresh).all()
        keys = {row.id: (row.integration_id, row.chargebee_transaction_id) for row in rows}
        invoices = invoices_of(session, keys.values())
        for row in rows:
            data = _shown(row, invoices.get(keys[row.id], []))
            announce(session, event_type, ("transaction", row.id), data)


def _shown(row: Transaction, invoice_ids: list[str]) -> dict[str, Any]:
    return {
        "id": ids.encode("txn", row.id),
        "customer_id": ids.encode("cus", row.customer_id),
        "partner_id": row.partner_id and ids.encode("par", row.partner_id),
        "integration_id": ids.encode("int", row.integration_id),
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "occurred_at": rfc3339(row.occurred_at),
        "status": row.status,
        "refunded_minor": row.refunded_minor,
        "properties": {
            "chargebee_transaction_id": row.chargebee_transaction_id,
            "chargebee_invoice_id": invoice_ids[0] if invoice_ids else None,
        },
        "chargebee_invoice_ids": invoice_ids,
    }
