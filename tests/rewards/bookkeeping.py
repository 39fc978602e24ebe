"""What the ledger says, read as an auditor would: from the rows alone."""

from collections import defaultdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.reports import ledger_checks, recalculation, reward_checks
from rewards_service.reports.findings import look
from rewards_service.rewards.adjusting import adjust
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward, RewardStatusChange
from rewards_service.rewards.review import change_status
from tests.builders.world import World

PERSON = "key:1"


def review(world: World, to_status: str, *keys: int, **options: Any) -> list[int]:
    """Move rewards, all of them unless some are named, as a person would."""
    with transaction(world.engine) as session:
        wanted = keys or tuple(session.scalars(select(Reward.id).order_by(Reward.id)))
        return change_status(session, wanted, to_status, "seen", PERSON, **options)


def correct(world: World, key: int, amount: int, may_write_off: bool = True) -> int:
    """Adjust a reward; the key of the one that carries the entry."""
    with transaction(world.engine) as session:
        return adjust(session, key, amount, "agreed by phone", PERSON, may_write_off).id


def rewards(world: World) -> list[Reward]:
    return sorted(world.all(Reward), key=lambda row: row.id)


def shown(world: World) -> list[tuple[int, str, int]]:
    """(seq, status, sum of entries) of each reward."""
    sums: dict[int, int] = defaultdict(int)
    for entry in world.all(LedgerEntry):
        sums[entry.reward_id] += entry.amount_minor
    return [(row.seq, row.status, sums[row.id]) for row in rewards(world)]


def accounts(world: World, reward: int | None = None) -> dict[str, int]:
    """Balance of each account that has one, of one reward or of all."""
    total = func.sum(LedgerPosting.amount_minor)
    query = (
        select(LedgerPosting.account, total)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .group_by(LedgerPosting.account)
        .having(total != 0)
    )
    if reward is not None:
        query = query.where(LedgerEntry.reward_id == reward)
    with Session(world.engine) as session:
        return {account: int(amount) for account, amount in session.execute(query)}


def history(world: World, reward: int) -> list[tuple[str, str, str]]:
    """(from, to, actor) of each move of a reward."""
    moves = [m for m in world.all(RewardStatusChange) if m.reward_id == reward]
    return [(m.from_status, m.to_status, m.actor) for m in sorted(moves, key=lambda m: m.id)]


def violations(world: World) -> dict[str, Any]:
    """What `rewards check` finds about rewards and their ledger; no payouts stand behind them."""
    rooms = (reward_checks, ledger_checks, recalculation)
    with Session(world.engine) as session:
        checks = [look(session, one) for room in rooms for one in room.INVARIANTS]
        return {check.id: check.violations for check in checks if not check.ok}
