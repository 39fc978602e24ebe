"""/api/v1/transactions."""

from collections.abc import Sequence
from typing import Any

from rewards_service.crm.customer_routes import known_customers
from rewards_service.inbox.listing import rewards_of_transactions
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import confined_to, own_partner
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.properties.names import INVOICE_ID, TRANSACTION_ID
from rewards_service.transactions import listing
from rewards_service.transactions.models import Transaction
from rewards_service.transactions.schemas import (
    TransactionPageSchema,
    TransactionQuerySchema,
    TransactionSchema,
)

blueprint = Resource("transactions", "Payments of known customers")

READ = "transactions:read"
PLAIN = (
    "id", "customer_id", "partner_id", "integration_id", "amount_minor", "currency",
    "base_currency", "exchange_rate", "occurred_at", "status", "refunded_minor", "reason",
    "created_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/transactions", scope=READ, query=TransactionQuerySchema, answer=TransactionPageSchema,
    for_partners=True,
)  # fmt: skip
def list_transactions(query: dict[str, Any]) -> Any:
    """List transactions."""
    page = listing.list_transactions(current_session(), paging(query), query, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation(
    "GET", "/transactions/<transaction_id>", scope=READ, answer=TransactionSchema,
    for_partners=True,
)  # fmt: skip
def get_transaction(transaction_id: str) -> Any:
    """Get one transaction."""
    key = path_key("txn", transaction_id)
    return _shown([listing.get_transaction(current_session(), key, own_partner())])[0]


def _shown(found: Sequence[Transaction]) -> list[dict[str, Any]]:
    session, keys = current_session(), [item.id for item in found]
    properties = listing.properties_of(session, keys)
    allocations = listing.allocations_of(session, keys)
    rewards = rewards_of_transactions(session, keys, confined_to())
    customers = known_customers([item.customer_id for item in found])
    return [
        {
            **{name: getattr(item, name) for name in PLAIN},
            "customer_id": customers.get(item.customer_id),
            "allocations": allocations[item.id],
            "properties": {
                name: next(iter(properties[item.id][name]), None)
                for name in (TRANSACTION_ID, INVOICE_ID)
            },
            "chargebee_invoice_ids": properties[item.id][INVOICE_ID],
            "reward_ids": rewards[item.id],
        }
        for item in found
    ]
