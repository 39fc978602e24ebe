"""Pages of rewards, and what is shown beside them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, undefer

from rewards_service.audit.service import MACHINE
from rewards_service.crm.listing import customers_of
from rewards_service.integrations.models import Integration
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.mirror.models import PaymentApplication
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.rewards.models import LedgerEntry, Reward, RewardStatusChange
from rewards_service.transactions.models import Transaction

MOVE = "status"
FILTERS = ("status", "partner_id", "customer_id", "currency")


def list_rewards(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of rewards.

    wanted: any of FILTERS, `chargebee_invoice_id`, `created_from`, `created_before`. own: of this
    partner alone.
    """
    query = select(Reward)
    if own is not None:
        query = query.where(Reward.partner_id == own)
        if "customer_id" in wanted:  # whom others brought, it does not name
            query = query.where(Reward.customer_id.in_(customers_of(own)))
    for name in FILTERS:
        if name in wanted:
            query = query.where(getattr(Reward, name) == wanted[name])
    if "chargebee_invoice_id" in wanted:  # the index begins with the site
        query = query.where(
            Reward.integration_id.in_(select(Integration.id)),
            Reward.invoice_id == wanted["chargebee_invoice_id"],
        )
    if "created_from" in wanted:
        query = query.where(Reward.created_at >= wanted["created_from"])
    if "created_before" in wanted:
        query = query.where(Reward.created_at < wanted["created_before"])
    # The order of creation, as every list; all indexes of the filters go on with it.
    return fetch(session, query, Reward.id, paging, Reward.created_at)


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


def entries_of(session: Session, reward_ids: Sequence[int]) -> dict[int, list[LedgerEntry]]:
    """Reward -> its ledger entries in the order of posting.

    Without those of amount 0, which only carry what is owed from account to account.
    """
    found: dict[int, list[LedgerEntry]] = defaultdict(list)
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.reward_id.in_(reward_ids), LedgerEntry.amount_minor != 0)
        .order_by(LedgerEntry.id)
    )
    for entry in session.scalars(query):
        found[entry.reward_id].append(entry)
    return found


def activity_of(session: Session, reward_id: int) -> list[dict[str, Any]]:
    """What happened to a reward, in order: entries by their kind, moves as kind `status`."""
    moves = select(RewardStatusChange).where(RewardStatusChange.reward_id == reward_id)
    found = [
        (entry.posted_at, 0, entry.id, _posted(entry))
        for entry in entries_of(session, [reward_id])[reward_id]
    ]
    found += [(move.at, 1, move.id, _moved(move)) for move in session.scalars(moves)]
    return [shown for *_, shown in sorted(found, key=lambda item: item[:3])]


def _posted(entry: LedgerEntry) -> dict[str, Any]:
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


def rules_of(session: Session, rewards: Sequence[Reward]) -> dict[int, tuple[int, int]]:
    """Rule version key -> (rule key, version)."""
    query = select(
        RewardRuleVersion.id, RewardRuleVersion.rule_id, RewardRuleVersion.version
    ).where(RewardRuleVersion.id.in_({reward.rule_version_id for reward in rewards}))
    return {key: (rule_id, version) for key, rule_id, version in session.execute(query)}


def transactions_of(session: Session, reward_ids: Sequence[int]) -> dict[int, list[int]]:
    """Reward -> transactions that were ever applied to its invoice, the earliest payment first."""
    same_invoice = and_(
        PaymentApplication.integration_id == Reward.integration_id,
        PaymentApplication.invoice_id == Reward.invoice_id,
    )
    same_payment = and_(
        Transaction.integration_id == PaymentApplication.integration_id,
        Transaction.chargebee_transaction_id == PaymentApplication.transaction_id,
    )
    query = (
        select(Reward.id, Transaction.id)
        .join(PaymentApplication, same_invoice)
        .join(Transaction, same_payment)
        .where(Reward.id.in_(reward_ids), Transaction.withdrawn_at.is_(None))
        .order_by(Reward.id, Transaction.occurred_at, Transaction.chargebee_transaction_id)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for reward_id, transaction_id in session.execute(query):
        found[reward_id].append(transaction_id)
    return found
