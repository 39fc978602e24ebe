"""What must be written so that rewards stand as they should: rows, moves, ledger entries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many, reserve_ids, table_of, update_many
from rewards_service.rewards import ledger
from rewards_service.rewards.differences import missing as missing_of
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.ledger import Difference
from rewards_service.rewards.models import OPEN_STATUSES, Reward, RewardStatusChange
from rewards_service.rewards.queries import Held, Money
from rewards_service.rewards.verdicts import Target, Verdict, available

# Holds that the machine sets and lifts by itself; any other is a person's.
MACHINE_HOLDS = (
    "conflict", "lead_pending", "refund_open", "self_referral", "partner_inactive",
)  # fmt: skip
_Slot = tuple[int, int]  # (rule version, partner)


class _Posting(NamedTuple):
    """What is to be posted to a reward: minor units, the causing event, a kind of its own."""

    amount_minor: int
    cause: int | None
    kind: str | None = None


@dataclass(slots=True)
class Changes:
    """Rows to write, gathered over a batch."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    emptied: list[dict[str, Any]] = field(default_factory=list)  # nothing is due for them now
    moves: list[dict[str, Any]] = field(default_factory=list)
    differences: list[tuple[dict[str, Any], _Posting]] = field(default_factory=list)

    def add(self, row: dict[str, Any], posting: _Posting) -> None:
        """A new reward with its first entry."""
        self.new.append(row)
        self.differences.append((row, posting))

    def write(self, session: Session) -> list[str]:
        """Write all rows. Returns the kinds of the ledger entries."""
        ids = reserve_ids(session, table_of(Reward), len(self.new))
        for reward_id, row in zip(ids, self.new, strict=True):
            row["id"] = reward_id
        insert_many(session, Reward, self.new)
        update_many(session, Reward, self.changed)
        update_many(session, Reward, self.emptied)
        insert_many(session, RewardStatusChange, self.moves)
        return ledger.post(
            session,
            [
                Difference(
                    row["id"],
                    row["partner_id"],
                    row["currency"],
                    row["status"],
                    posting.amount_minor,
                    posting.cause,
                    posting.kind,
                )
                for row, posting in self.differences
            ],
        )


def compare(
    verdict: Verdict,
    held: Sequence[Held],
    cause: int | None,
    money: Money,
    changes: Changes,
) -> None:
    """What must be posted so that each partner has exactly its target, per rule version."""
    slots: dict[_Slot, list[Held]] = defaultdict(list)
    for one in held:
        slots[(one.row.rule_version_id, one.row.partner_id)].append(one)
    wanted = {(target.version.id, target.partner_id): target for target in verdict.targets}
    for slot in sorted(slots.keys() | wanted.keys()):
        target = wanted.get(slot)
        rewards = slots.get(slot, [])
        amount = target.amount_minor if target else 0
        missing = missing_of(amount, rewards)
        open_one = next((o for o in reversed(rewards) if o.row.status in OPEN_STATUSES), None)
        settled = sum(one.amount_minor for one in rewards if one is not open_one)
        facts = None
        if target is not None and (missing or open_one is not None):
            facts = _facts(verdict, target, settled, money)
        posting = _Posting(missing, cause, "cap_release" if _is_release(target, missing) else None)
        if open_one is not None:
            _change(verdict, open_one, facts, posting, _hold(verdict, target), changes)
        elif missing and facts is not None:
            row = _opened(verdict, slot, len(rewards) + 1, missing, _hold(verdict, target))
            changes.add(row | facts, posting)
        elif missing:
            changes.add(_opened_against(rewards[-1], len(rewards) + 1), posting)


def _is_release(target: Target | None, missing: int) -> bool:
    return target is not None and target.offer.released and missing > 0


def _hold(verdict: Verdict, target: Target | None) -> str | None:
    return verdict.hold_reason or (None if target is None else target.offer.hold_reason)


def _change(
    verdict: Verdict,
    one: Held,
    facts: dict[str, Any] | None,
    posting: _Posting,
    hold_reason: str | None,
    changes: Changes,
) -> None:
    """Bring an open reward to its target; without `facts` nothing is due for it any more."""
    released = one.row.released_holds or ()
    wanted = None if hold_reason in released else hold_reason
    status, hold = _status(one.row.status, one.row.hold_reason, wanted)
    row: dict[str, Any] = {"id": one.row.id, "status": status, "hold_reason": hold}
    if facts is not None:
        changes.changed.append(row | facts)
    else:
        changes.emptied.append(row | {"explanation": {"takes_back": one.row.id}})
    if status != one.row.status:
        changes.moves.append(
            {
                "reward_id": one.row.id,
                "from_status": one.row.status,
                "to_status": status,
                "reason": hold or one.row.hold_reason,
                "actor": "machine",
                "at": utc_now(),
            }
        )
    if posting.amount_minor:
        known = {**row, "partner_id": one.row.partner_id, "currency": one.row.currency}
        changes.differences.append((known, posting))


def _status(status: str, hold_reason: str | None, wanted: str | None) -> tuple[str, str | None]:
    """The machine moves rewards between pending and its own holds only (V2)."""
    if status not in ("pending", "hold") or (hold_reason and hold_reason not in MACHINE_HOLDS):
        return status, hold_reason
    return ("hold", wanted) if wanted else ("pending", None)


def _facts(verdict: Verdict, target: Target, settled_minor: int, money: Money) -> dict[str, Any]:
    anchor = target.offer.anchor
    return {
        "customer_id": verdict.owner_id,
        "transaction_id": money.recorded[(verdict.key[0], anchor.payment_id)].id,
        "available_on": available(target.offer),
        "anchor_paid_at": anchor.paid_at,
        "flags": verdict.flags or None,
        "explanation": {**stored_explanation(verdict, target), "earlier_minor": settled_minor},
    }


def _opened(
    verdict: Verdict, slot: _Slot, seq: int, missing: int, hold_reason: str | None
) -> dict[str, Any]:
    """A new reward; against one that was paid or declined, what is taken back is approved (A4)."""
    status, hold = _status("pending", None, hold_reason)
    if missing < 0:
        status, hold = "approved", None
    return {
        "integration_id": verdict.key[0],
        "invoice_id": verdict.key[1],
        "rule_version_id": slot[0],
        "partner_id": slot[1],
        "seq": seq,
        "currency": verdict.currency,
        "status": status,
        "hold_reason": hold,
        "released_holds": None,
        "created_at": utc_now(),
    }


def _opened_against(last: Held, seq: int) -> dict[str, Any]:
    """Nothing is due any more, but the reward is settled: take it back under a new seq."""
    return {
        **last.row._asdict(),
        "seq": seq,
        "status": "approved",
        "hold_reason": None,
        "released_holds": None,
        "flags": None,
        "created_at": utc_now(),
        "explanation": {"takes_back": last.row.id},
    }
