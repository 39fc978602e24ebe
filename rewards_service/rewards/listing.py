"""Pages of rewards, and what is shown beside them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session, undefer

from rewards_service.audit.service import MACHINE
from rewards_service.crm.listing import customers_of
from rewards_service.integrations.models import Integration
from rewards_service.kit.bulk import among_given
from rewards_service.kit.db import columns, fetch_rows, is_postgresql, table_of
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.mirror.models import PaymentApplication
from rewards_service.rewards.models import LedgerEntry, Reward, RewardStatusChange
from rewards_service.transactions.models import Transaction

MOVE = "status"
_REWARD = table_of(Reward).c
FILTERS = ("status", "partner_id", "customer_id", "currency")


def list_rewards(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of rewards.

    wanted: any of FILTERS, `chargebee_invoice_id`, `created_from`, `created_before`. own: of this
    partner alone.
    """
    query = matching(select(Reward), wanted, own)
    # The order of creation, as every list; all indexes of the filters go on with it.
    return fetch(session, query, Reward.id, paging, Reward.created_at)


def matching(query: Select[Any], wanted: Mapping[str, Any], own: int | None) -> Select[Any]:
    """A query of rewards for those that are wanted, as `list_rewards` has it."""
    if own is not None:
        query = query.where(_REWARD.partner_id == own)
        if "customer_id" in wanted:  # whom others brought, it does not name
            query = query.where(_REWARD.customer_id.in_(customers_of(own)))
    for name in FILTERS:
        if name in wanted:
            query = query.where(_REWARD[name] == wanted[name])
    if "chargebee_invoice_id" in wanted:  # the index begins with the site
        query = query.where(
            _REWARD.integration_id.in_(select(Integration.id)),
            _REWARD.invoice_id == wanted["chargebee_invoice_id"],
        )
    if "created_from" in wanted:
        query = query.where(_REWARD.created_at >= wanted["created_from"])
    if "created_before" in wanted:
        query = query.where(_REWARD.created_at < wanted["created_before"])
    return query


def get_reward(
    session: Session, reward_id: int, with_explanation: bool = False, own: int | None = None
) -> Reward:
    """Raises NotFound; with `own` also for one of another partner."""
    options = [undefer(Reward.explanation)] if with_explanation else []
    found = session.get(Reward, reward_id, options=options)
    if found is None or is_foreign(found.partner_id, own):
        raise NotFound("There is no such reward.")
    return found


def statuses_of(session: Session, reward_ids: Sequence[int]) -> dict[int, str]:
    """Reward -> its status; those that do not exist are left out."""
    query = select(Reward.id, Reward.status).where(Reward.id.in_(reward_ids))
    return {key: status for key, status in session.execute(query)}  # noqa: C416


class Entry(NamedTuple):
    """A ledger entry of a reward, as lists and pages show it."""

    reward_id: int
    id: int
    kind: str
    amount_minor: int
    cause_event_id: int | None
    reason: str | None
    actor: str | None
    posted_at: datetime


def entries_of(session: Session, reward_ids: Sequence[int]) -> dict[int, list[Entry]]:
    """Reward -> its ledger entries in the order of posting.

    Without those of amount 0, which only carry what is owed from account to account.
    """
    found: dict[int, list[Entry]] = defaultdict(list)
    session.flush()
    for row in fetch_rows(session, _entries(is_postgresql(session)), rewards=list(reward_ids)):
        found[row[0]].append(Entry._make(row))
    return found


@cache
def _entries(is_postgresql: bool) -> Select[Any]:
    entry = table_of(LedgerEntry).c
    return (
        select(*columns(LedgerEntry, *Entry._fields))
        .where(among_given(entry.reward_id, "rewards", is_postgresql), entry.amount_minor != 0)
        .order_by(entry.id)
    )


def activity_of(session: Session, reward_id: int) -> list[dict[str, Any]]:
    """What happened to a reward, in order: entries by their kind, moves as kind `status`."""
    moves = select(RewardStatusChange).where(RewardStatusChange.reward_id == reward_id)
    found = [
        (entry.posted_at, 0, entry.id, _posted(entry))
        for entry in entries_of(session, [reward_id])[reward_id]
    ]
    found += [(move.at, 1, move.id, _moved(move)) for move in session.scalars(moves)]
    return [shown for *_, shown in sorted(found, key=lambda item: item[:3])]


def _posted(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.posted_at,
        "kind": entry.kind,
        "amount_minor": entry.amount_minor,
        "cause_event": entry.cause_event_id,
        "reason": entry.reason,
        "actor": entry.actor or MACHINE,
    }


def _moved(move: RewardStatusChange) -> dict[str, Any]:
    return {
        "at": move.at,
        "kind": MOVE,
        "from_status": move.from_status,
        "to_status": move.to_status,
        "reason": move.reason,
        "actor": move.actor,
    }


def transactions_of(session: Session, reward_ids: Sequence[int]) -> dict[int, list[int]]:
    """Reward -> transactions that were ever applied to its invoice, the earliest payment first."""
    found: dict[int, list[int]] = defaultdict(list)
    session.flush()
    rows = fetch_rows(session, _transactions(is_postgresql(session)), rewards=list(reward_ids))
    for reward_id, transaction_id in rows:
        found[reward_id].append(transaction_id)
    return found


@cache
def _transactions(is_postgresql: bool) -> Select[Any]:
    reward, paid, transaction = map(table_of, (Reward, PaymentApplication, Transaction))
    same_invoice = and_(
        paid.c.integration_id == reward.c.integration_id,
        paid.c.invoice_id == reward.c.invoice_id,
    )
    same_payment = and_(
        transaction.c.integration_id == paid.c.integration_id,
        transaction.c.chargebee_transaction_id == paid.c.transaction_id,
    )
    return (
        select(reward.c.id, transaction.c.id)
        .join_from(reward, paid, same_invoice)
        .join(transaction, same_payment)
        .where(
            among_given(reward.c.id, "rewards", is_postgresql),
            transaction.c.withdrawn_at.is_(None),
        )
        .order_by(reward.c.id, transaction.c.occurred_at, transaction.c.chargebee_transaction_id)
    )
