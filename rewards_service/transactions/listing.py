"""Pages of transactions, and what is shown beside them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from rewards_service.crm.listing import customers_of
from rewards_service.integrations.models import Integration
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.mirror.models import PaymentApplication
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import INVOICE_ID, TRANSACTION_ID
from rewards_service.transactions.models import Transaction


def list_transactions(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of transactions.

    wanted, if given: `customer_id`, `partner_id` (keys), `chargebee_transaction_id`,
    `chargebee_invoice_id`, `occurred_from`, `occurred_before`. own: of this partner alone.
    """
    query = select(Transaction).where(Transaction.withdrawn_at.is_(None))
    if own is not None:
        query = _confined(query, own, wanted)
    for name in ("customer_id", "partner_id"):
        if name in wanted:
            query = query.where(getattr(Transaction, name) == wanted[name])
    if "occurred_from" in wanted:
        query = query.where(Transaction.occurred_at >= wanted["occurred_from"])
    if "occurred_before" in wanted:
        query = query.where(Transaction.occurred_at < wanted["occurred_before"])
    for name in (TRANSACTION_ID, INVOICE_ID):
        if name in wanted:
            is_unique = name == TRANSACTION_ID
            query = query.where(Transaction.id.in_(_carriers(name, is_unique, wanted[name])))
    in_time = "occurred_from" in wanted or "occurred_before" in wanted
    return fetch(
        session, query, Transaction.id, paging, Transaction.occurred_at if in_time else None
    )


def _confined(
    query: Select[Transaction], own: int, wanted: Mapping[str, Any]
) -> Select[Transaction]:
    query = query.where(Transaction.partner_id == own)
    if "customer_id" in wanted:  # whom others brought, it does not name
        query = query.where(Transaction.customer_id.in_(customers_of(own)))
    return query


def _carriers(name: str, is_unique: bool, value: str) -> Any:
    """Transactions with this property at any site; naming the sites lets the index serve."""
    return (
        select(PropertyValue.subject_id)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(
            PropertyDefinition.key == name,
            PropertyValue.integration_id.in_(select(Integration.id)),
            PropertyValue.is_unique if is_unique else ~PropertyValue.is_unique,
            PropertyValue.value == value,
        )
    )


def get_transaction(session: Session, transaction_id: int, own: int | None = None) -> Transaction:
    """A transaction that was not withdrawn. Raises NotFound; with `own` also for another's."""
    found = session.get(Transaction, transaction_id)
    if found is None or found.withdrawn_at is not None or is_foreign(found.partner_id, own):
        raise NotFound("There is no such transaction.")
    return found


def own_transactions(session: Session, transaction_ids: Iterable[int], own: int) -> set[int]:
    """Those of `transaction_ids` that are this partner's."""
    query = select(Transaction.id).where(
        Transaction.id.in_(sorted(set(transaction_ids))), Transaction.partner_id == own
    )
    return set(session.scalars(query.where(Transaction.withdrawn_at.is_(None))))


def properties_of(session: Session, ids: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    """Transaction -> {property: its values, the first linked first}."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    query = (
        select(PropertyValue.subject_id, PropertyDefinition.key, PropertyValue.value)
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(PropertyDefinition.subject == "transaction", PropertyValue.subject_id.in_(ids))
        .order_by(PropertyValue.subject_id, PropertyValue.position)
    )
    for transaction_id, key, value in session.execute(query):
        found[transaction_id][key].append(value)
    return found


def allocations_of(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Transaction -> what its invoices got of it, minor units (DOMAIN M18)."""
    same_payment = and_(
        PaymentApplication.integration_id == Transaction.integration_id,
        PaymentApplication.transaction_id == Transaction.chargebee_transaction_id,
    )
    query = (
        select(Transaction.id, PaymentApplication.invoice_id, PaymentApplication.applied_minor)
        .join(PaymentApplication, same_payment)
        .where(Transaction.id.in_(ids), PaymentApplication.applied_minor > 0)
        .order_by(Transaction.id, PaymentApplication.position)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for transaction_id, invoice_id, applied in session.execute(query):
        found[transaction_id].append({"chargebee_invoice_id": invoice_id, "amount_minor": applied})
    return found
