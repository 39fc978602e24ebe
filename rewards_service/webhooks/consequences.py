"""Calculate rewards at once, for a person who waits, and say what has changed by it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from rewards_service.mirror.queries import Key
from rewards_service.rewards import service
from rewards_service.rewards.explaining import render
from rewards_service.rewards.models import LedgerEntry, Reward, RewardStatusChange
from rewards_service.transactions import due


class RewardChange(NamedTuple):
    """A reward before and after, minor units; `text` explains its sum.

    Also one of which only the status has changed.
    """

    integration_id: int
    chargebee_invoice_id: str
    partner_id: int
    currency: str
    before_minor: int
    after_minor: int
    status: str
    hold_reason: str | None
    text: str

    @property
    def amount_minor(self) -> int:
        return self.after_minor - self.before_minor


def calculate_now(session: Session, wanted: Mapping[Key, int | None]) -> list[RewardChange]:
    """Bring the rewards of these invoices (-> causing event) to their targets; what changed.

    The caller holds the rewards stage: what is posted meanwhile is of this calculation. Rewards of
    other invoices may follow, and are told of.
    """
    if not wanted:
        return []
    entry, move = _last(session, LedgerEntry.id), _last(session, RewardStatusChange.id)
    service.calculate(session, wanted)
    due.forget(session, wanted.keys())
    posted = _posted(session, entry)
    moves = RewardStatusChange.id > move
    moved = session.scalars(select(RewardStatusChange.reward_id).where(moves))
    return _changes(session, posted, {*posted, *moved})


def _last(session: Session, key: Any) -> int:
    return int(session.execute(select(func.coalesce(func.max(key), 0))).scalar_one())


def _posted(session: Session, after_entry: int) -> dict[int, int]:
    """Reward -> what was posted to it since an entry."""
    query = (
        select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.id > after_entry)
        .group_by(LedgerEntry.reward_id)
    )
    return {reward_id: int(total) for reward_id, total in session.execute(query)}


def _changes(
    session: Session, posted: Mapping[int, int], reward_ids: Collection[int]
) -> list[RewardChange]:
    sums = _sums(session, reward_ids)
    query = (
        select(Reward)
        .where(Reward.id.in_(sorted(reward_ids)))
        .order_by(Reward.invoice_id, Reward.partner_id, Reward.id)
        .options(undefer(Reward.explanation))
        .execution_options(populate_existing=True)
    )
    found = []
    for reward in session.scalars(query):
        after = sums.get(reward.id, 0)
        found.append(
            RewardChange(
                reward.integration_id, reward.invoice_id, reward.partner_id, reward.currency,
                after - posted.get(reward.id, 0), after, reward.status, reward.hold_reason,
                render(reward.explanation)["text"],
            )
        )  # fmt: skip
    return found


def _sums(session: Session, reward_ids: Collection[int]) -> dict[int, int]:
    query = (
        select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.reward_id.in_(sorted(reward_ids)))
        .group_by(LedgerEntry.reward_id)
    )
    return {reward_id: int(total) for reward_id, total in session.execute(query)}


def totals(changes: Sequence[RewardChange]) -> dict[tuple[int, str], int]:
    """(partner, currency) -> what the changes add up to, minor units; without those of 0."""
    found: dict[tuple[int, str], int] = {}
    for change in changes:
        slot = (change.partner_id, change.currency)
        found[slot] = found.get(slot, 0) + change.amount_minor
    return {slot: amount for slot, amount in sorted(found.items()) if amount}
