"""The one way in which people, payouts and the clock move rewards from status to status (V2)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm.models import Customer
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import chunks, hold_stage, insert_many
from rewards_service.kit.errors import Conflict, Forbidden, NotFound, RewardsError
from rewards_service.kit.money import format_minor
from rewards_service.kit.refusals import invalid_member
from rewards_service.rewards import ledger, telling
from rewards_service.rewards.models import Reward, RewardStatusChange
from rewards_service.transactions.service import mark_due

# What may follow a status (DOMAIN V2). The database refuses every other move as well. A reviewer
# who finds a doubt before the payout takes the approval back by a hold.
LAWFUL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pending": ("hold", "approved", "declined"),
        "hold": ("pending", "approved", "declined"),
        "approved": ("hold", "declined", "in_payout"),
        "declined": (),
        "in_payout": ("approved", "paid"),
        "paid": (),
    }
)
# Beside these the machine has a move of its own: what was a debt and is none any more (A4).
OF_MACHINE = ("approved", "pending")
# Only a payout makes these moves, for all that is in it: a person cancels the payout (V6).
OF_PAYOUTS = (("approved", "in_payout"), ("in_payout", "approved"), ("in_payout", "paid"))
BY_HAND = "by_hand"  # reason of a person's hold; their own words stand in the history
NEED_A_REASON = ("hold", "declined")
STAGES = ("events", "rewards")


class UnlawfulMove(Conflict):
    code = "unlawful_move"
    title = "A reward cannot go from its status to this one."


class WriteOffNeedsAdmin(Forbidden):
    code = "write_off_needs_admin"
    title = "Only an admin may write off what a partner owes."


@dataclass(frozen=True, slots=True)
class Order:
    """A status, by whom and why; a hold may end after `until`; `happened_at` None: now."""

    to_status: str
    reason: str | None
    actor: str
    until: date | None = None
    happened_at: datetime | None = None


class Result(NamedTuple):
    """What became of one reward: done, `moved` if it was not so before; or why it was refused."""

    reward_key: int
    ok: bool
    code: str | None
    detail: str | None
    moved: bool = False


def change_status(
    session: Session,
    reward_keys: Collection[int],
    to_status: str,
    reason: str | None,
    actor: str,
    until: date | None = None,
    may_write_off: bool = False,
) -> list[int]:
    """Move rewards to a status, with their money, all of them or none. Returns those that moved.

    A reward that is there already stays as it is: asking twice is asking once. `until`: the last
    day of a hold. Raises NotFound; UnlawfulMove; Unprocessable without a reason for a hold or a
    refusal; WriteOffNeedsAdmin when a debt is declined, unless `may_write_off` (V4).
    """
    return carry_out(session, reward_keys, Order(to_status, reason, actor, until), may_write_off)


def carry_out(
    session: Session, keys: Collection[int], order: Order, may_write_off: bool = False
) -> list[int]:
    """As `change_status`, by an order."""
    _check(order)
    moving = [row for row in lock(session, keys) if not _is_there(row, order)]
    for row in moving:
        _check_lawful(row, order)
    if not moving:
        return []
    if order.to_status in NEED_A_REASON and not may_write_off:
        _check_debts(session, moving)
    if order.to_status == "approved":
        _pin(session, moving)
    if order.to_status == "pending":
        _judge_again(session, moving)
    ledger.move(session, moving, order.to_status, order.actor, order.happened_at)
    insert_many(session, RewardStatusChange, [_change(row, order) for row in moving])
    moves = [telling.Moved(row.id, row.status, order.to_status) for row in moving]
    for row in moving:
        before = _status_of(row)
        _set(row, order)
        detail = {"before": before, "after": _status_of(row)}
        action = f"reward.{order.to_status}"
        record(session, action, ("reward", row.id), detail, order.actor, order.reason)
    session.flush()
    telling.tell(session, moved=moves)
    return [row.id for row in moving]


def decide(
    session: Session, reward_keys: Collection[int], order: Order, may_write_off: bool = False
) -> list[int]:
    """As `change_status`, for a person: a reward in a payout stays there until the payout ends."""
    for row in lock(session, reward_keys):
        if (row.status, order.to_status) in OF_PAYOUTS:
            raise UnlawfulMove(
                f"Reward {ids.encode('rew', row.id)} is {row.status}: it becomes "
                f"{order.to_status} only with a payout. To take it out of one, cancel that payout."
            )
    return carry_out(session, reward_keys, order, may_write_off)


def change_each(
    session: Session, reward_keys: Sequence[int], order: Order, may_write_off: bool = False
) -> list[Result]:
    """As `decide`, each reward by itself: what one is refused does not stop the others.

    Raises Unprocessable for an order that suits no reward.
    """
    _check(order)
    found = []
    for key in reward_keys:
        try:
            with session.begin_nested():
                moved = decide(session, [key], order, may_write_off)
        except RewardsError as refusal:
            found.append(Result(key, False, refusal.code, refusal.detail))
        else:
            found.append(Result(key, True, None, None, bool(moved)))
    return found


def lock(session: Session, reward_keys: Collection[int]) -> list[Reward]:
    """Rewards as they are now, locked until commit in the order of their keys. Raises NotFound."""
    for stage in STAGES:
        hold_stage(session, stage)
    keys = sorted(set(reward_keys))
    found: list[Reward] = []
    for some in chunks(keys):
        query = select(Reward).where(Reward.id.in_(some)).order_by(Reward.id).with_for_update()
        found += session.scalars(query, execution_options={"populate_existing": True})
    if len(found) < len(keys):
        raise NotFound("There is no such reward.")
    return found


def _check(order: Order) -> None:
    if order.to_status in NEED_A_REASON and not (order.reason or "").strip():
        raise invalid_member("reason", "A hold or a refusal needs a reason.")
    if order.until is not None and order.to_status != "hold":
        raise invalid_member("until", "Only a hold ends by itself.")
    if order.until is not None and order.until < utc_now().date():
        raise invalid_member("until", "This day is over.")


def _is_there(row: Reward, order: Order) -> bool:
    """Whether nothing is left to do. A person's hold replaces one of the machine."""
    if row.status != order.to_status:
        return False
    return row.status != "hold" or (row.hold_reason == BY_HAND and row.hold_until_on == order.until)


def _check_lawful(row: Reward, order: Order) -> None:
    possible = LAWFUL[row.status]
    if order.to_status not in (row.status, *possible):
        raise UnlawfulMove(
            f"Reward {ids.encode('rew', row.id)} is {row.status} and cannot become "
            f"{order.to_status}. Possible from {row.status}: {', '.join(possible) or 'nothing'}."
        )


def _check_debts(session: Session, rows: Sequence[Reward]) -> None:
    """Who refuses a debt, or keeps it from being netted, lets the partner off: a write-off."""
    held = ledger.standing(session, {row.id for row in rows})
    for row in rows:
        if (owed := -sum(held.get(row.id, {}).values())) < 0:
            raise write_off(row, owed)


def write_off(row: Reward, owed_minor: int) -> WriteOffNeedsAdmin:
    """The refusal of a key that may not let a partner off a debt (V4)."""
    return WriteOffNeedsAdmin(
        f"Reward {ids.encode('rew', row.id)} stands at {format_minor(owed_minor, row.currency)}: "
        "the partner owes it. A write-off takes an owner, or a key with the scope admin."
    )


def _pin(session: Session, rows: Sequence[Reward]) -> None:
    """From now on the machine leaves the attribution of these customers alone (M17)."""
    for some in chunks(sorted({row.customer_id for row in rows})):
        these = Customer.id.in_(some) & Customer.pinned.is_(False)
        session.execute(update(Customer).where(these).values(pinned=True))


def _judge_again(session: Session, rows: Sequence[Reward]) -> None:
    """Under a person's hold the machine may have found a reason for one of its own."""
    invoices = {(r.integration_id, r.invoice_id) for r in rows if r.hold_reason == BY_HAND}
    mark_due(session, dict.fromkeys(invoices))


def _change(row: Reward, order: Order) -> dict[str, Any]:
    return {
        "reward_id": row.id,
        "from_status": row.status,
        "to_status": order.to_status,
        "reason": order.reason,
        "actor": order.actor,
        "at": utc_now(),
    }


def _status_of(row: Reward) -> dict[str, Any]:
    return {
        "status": row.status,
        "hold_reason": row.hold_reason,
        "hold_until_on": row.hold_until_on and row.hold_until_on.isoformat(),
    }


def _set(row: Reward, order: Order) -> None:
    """A lifted reason of the machine is remembered: it must not set it again."""
    if order.to_status != "hold" and row.hold_reason not in (None, BY_HAND):
        row.released_holds = sorted({*(row.released_holds or ()), row.hold_reason})
    row.status = order.to_status
    held = order.to_status == "hold"
    row.hold_reason, row.hold_until_on = (BY_HAND, order.until) if held else (None, None)
