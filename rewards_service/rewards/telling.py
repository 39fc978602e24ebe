"""What others are told of rewards: events for those who asked (see docs/outbound.md)."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks
from rewards_service.outbound.announcing import announce, wanted
from rewards_service.outbound.event_types import REWARD
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.rewards.ledger import REVERSE
from rewards_service.rewards.models import LedgerEntry, Reward

# Of a reward that goes into a payout, that payout tells.
_BY_STATUS = {
    "approved": "reward.approved", "declined": "reward.declined", "hold": "reward.held",
    "pending": "reward.released", "paid": "reward.paid",
}  # fmt: skip


class Posted(NamedTuple):
    """An entry in a reward: its kind and minor units; `opened`: the reward's first one."""

    reward_id: int
    kind: str
    amount_minor: int
    opened: bool = False


class Moved(NamedTuple):
    reward_id: int
    from_status: str
    to_status: str


def is_wanted(session: Session) -> bool:
    """Whether anybody is to be told of rewards at all."""
    return wanted(session, REWARD)


def tell(session: Session, posted: Iterable[Posted] = (), moved: Iterable[Moved] = ()) -> None:
    """Announce entries and then moves, each with its reward as it stands after all of them."""
    if not is_wanted(session):
        return
    news = [new for one in posted for new in _of_entry(one)]
    news += [
        (_BY_STATUS[one.to_status], one.reward_id, {"from_status": one.from_status})
        for one in moved
        if one.to_status in _BY_STATUS
    ]
    shown = _shown(session, {reward_id for _, reward_id, _ in news})
    for event_type, reward_id, more in news:
        announce(session, event_type, ("reward", reward_id), {**shown[reward_id], **more})


def _of_entry(one: Posted) -> list[tuple[str, int, dict[str, Any]]]:
    """What takes money back is told as such, also when it opens a reward of its own (A4)."""
    changed = "reward.reversed" if one.kind == REVERSE else "reward.adjusted"
    types = ["reward.created"] if one.opened else []
    types += [changed] if changed == "reward.reversed" or not one.opened else []
    more = {"entry": {"kind": one.kind, "amount_minor": one.amount_minor}}
    return [(event_type, one.reward_id, more) for event_type in types]


def _shown(session: Session, reward_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Reward -> its members of the API that are ids, amounts and statuses."""
    found = {}
    for some in chunks(sorted(reward_ids)):
        sums = _sums(session, some)
        query = (
            select(
                Reward.id, Reward.partner_id, Reward.customer_id, Reward.transaction_id,
                Reward.invoice_id, RewardRuleVersion.rule_id, RewardRuleVersion.version,
                Reward.seq, Reward.currency, Reward.status, Reward.hold_reason,
                Reward.available_on,
            )
            .join(RewardRuleVersion, RewardRuleVersion.id == Reward.rule_version_id)
            .where(among(session, Reward.id, some))
        )  # fmt: skip
        for row in session.execute(query):
            found[row.id] = {
                "id": ids.encode("rew", row.id),
                "partner_id": ids.encode("par", row.partner_id),
                "customer_id": ids.encode("cus", row.customer_id),
                "transaction_id": ids.encode("txn", row.transaction_id),
                "chargebee_invoice_id": row.invoice_id,
                "rule_id": ids.encode("rul", row.rule_id),
                "rule_version": row.version,
                "seq": row.seq,
                "amount_minor": sums[row.id],
                "currency": row.currency,
                "status": row.status,
                "hold_reason": row.hold_reason,
                "available_on": row.available_on.isoformat(),
            }
    return found


def _sums(session: Session, reward_ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor))
        .where(among(session, LedgerEntry.reward_id, reward_ids))
        .group_by(LedgerEntry.reward_id)
    )
    return {reward_id: int(total) for reward_id, total in session.execute(query)}
