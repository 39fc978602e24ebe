"""Find transactions and what is due."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, exists, or_, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import chunks, database_now, table_of
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key, select_by
from rewards_service.transactions.models import RewardDue, Transaction

AnyRow = Row[*tuple[Any, ...]]


def by_chargebee_id(
    session: Session, keys: Collection[Key], withdrawn: bool = False
) -> dict[Key, AnyRow]:
    """Transactions by (integration key, Chargebee id); withdrawn ones only when asked for."""
    query = select(table_of(Transaction))
    if not withdrawn:
        query = query.where(Transaction.withdrawn_at.is_(None))
    rows = select_by(
        session, query, Transaction.integration_id, Transaction.chargebee_transaction_id, keys
    )
    return {(row.integration_id, row.chargebee_transaction_id): row for row in rows}


def lock_free_ones(session: Session, ids: Collection[int]) -> set[int]:
    """Lock those of these transactions that nobody is changing right now; which they are."""
    found: set[int] = set()
    for some in chunks(sorted(ids)):
        query = select(Transaction.id).where(Transaction.id.in_(some))
        found.update(session.scalars(query.with_for_update(skip_locked=True)))
    return found


def has_due(session: Session) -> bool:
    """Whether some invoice waits for its reward, by the database's clock."""
    ready = or_(
        RewardDue.next_attempt_at.is_(None), RewardDue.next_attempt_at <= database_now(session)
    )
    return bool(session.scalar(select(exists().where(RewardDue.dead.is_(False), ready))))


def invoices_of(session: Session, keys: Iterable[Key]) -> dict[Key, list[str]]:
    """Invoice ids that each payment is applied to now, in the payment's own order."""
    found: dict[Key, list[str]] = {}
    for row in mirror.applications_of(session, list(keys)):
        if row.applied_minor > 0:
            found.setdefault((row.integration_id, row.transaction_id), []).append(row.invoice_id)
    return found
