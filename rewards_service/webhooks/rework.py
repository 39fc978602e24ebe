"""Work out again all that depends on whose a payer is, after a person decided, in one go."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm import conversion
from rewards_service.crm.matching import Payer
from rewards_service.inbox import service as inbox
from rewards_service.inbox.service import Ending
from rewards_service.kit.db import hold_stage
from rewards_service.mirror.queries import Key
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks import payments, reversals
from rewards_service.webhooks.batch import Batch
from rewards_service.webhooks.consequences import RewardChange, calculate_now
from rewards_service.webhooks.handling import due_invoices


@dataclass(slots=True)
class Reworked:
    """What came of it: endings of events, payments that are recorded, changes of rewards."""

    endings: dict[int, Ending]
    transactions: list[dict[str, Any]]
    changes: list[RewardChange]


def hold_stages(session: Session) -> None:
    """Have matching and rewards to oneself until commit, in the order in which all take them."""
    hold_stage(session, "events")
    hold_stage(session, "rewards")


def rework(
    session: Session,
    payers: Collection[Payer],
    cause: int | None,
    also_due: Collection[Key] = (),
) -> Reworked:
    """Fold the payers' claims anew, record, correct events, and calculate rewards at once.

    cause: the event that postings will name; also_due: invoices to calculate in any case. What the
    caller changed must be flushed; the session forgets its objects, for much is written past it.
    """
    attributed = conversion.attribute_again(session, payers)
    batch = Batch((), {}, {})
    paid = payments.follow(session, batch, [], attributed, set())
    reversals.wake(session, batch, paid)
    inbox.change_outcomes(session, batch.corrections.values())
    due = due_invoices(session, set(), set(), paid) | set(also_due)
    changes = calculate_now(session, dict.fromkeys(due, cause))
    session.expire_all()
    return Reworked(batch.corrections, _recorded(session, paid.recorded.values()), changes)


def _recorded(session: Session, keys: Collection[int]) -> list[dict[str, Any]]:
    row = Transaction
    query = (
        select(
            row.id, row.chargebee_transaction_id, row.amount_minor, row.currency, row.occurred_at,
            row.reason,
        )
        .where(row.id.in_(sorted(keys)))
        .order_by(row.occurred_at, row.id)
    )  # fmt: skip
    return [dict(found._mapping) for found in session.execute(query)]
