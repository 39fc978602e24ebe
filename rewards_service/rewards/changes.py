"""What must be written so that rewards stand as they should: rows, moves, ledger entries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many, reserve_ids, table_of, update_many
from rewards_service.rewards import ledger, telling
from rewards_service.rewards.dating import NOW, Dated, date
from rewards_service.rewards.differences import missing as missing_of
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.ledger import Difference
from rewards_service.rewards.models import OPEN_STATUSES, Reward, RewardStatusChange
from rewards_service.rewards.queries import Held, Money
from rewards_service.rewards.verdicts import MACHINE, REFUND_OPEN, Target, Verdict, available

# Holds that the machine sets and lifts by itself; any other is a person's.
MACHINE_HOLDS = (
    "conflict", "lead_pending", "refund_open", "self_referral", "partner_inactive",
)  # fmt: skip
_Slot = tuple[int, int]  # (rule version, partner)


class _Posting(NamedTuple):
    """What is to be posted to a reward: minor units, the causing event, a kind of its own.

    `dated`: when what it is about happened.
    """

    amount_minor: int
    cause: int | None
    kind: str | None = None
    dated: Dated = NOW


@dataclass(slots=True)
class Changes:
    """Rows to write, gathered over a batch."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    emptied: list[dict[str, Any]] = field(default_factory=list)  # nothing is due for them now
    moves: list[dict[str, Any]] = field(default_factory=list)
    differences: list[tuple[dict[str, Any], _Posting]] = field(default_factory=list)
    carried: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: dict[str, Any], posting: _Posting) -> None:
        """A new reward with its first entry."""
        self.new.append(row)
        self.differences.append((row, posting))

    def move(self, one: Held, to_status: str, reason: str | None) -> None:
        """Move a reward by the machine, and with it what is owed for it."""
        self.moves.append(
            {
                "reward_id": one.row.id,
                "from_status": one.row.status,
                "to_status": to_status,
                "reason": reason,
                "actor": MACHINE,
                "at": utc_now(),
            }
        )
        if "approved" in (one.row.status, to_status):
            self.carried[to_status].append(one.row)

    def write(self, session: Session) -> list[str]:
        """Write all rows. Returns the kinds of the ledger entries."""
        ids = reserve_ids(session, table_of(Reward), len(self.new))
        for reward_id, row in zip(ids, self.new, strict=True):
            row["id"] = reward_id
        insert_many(session, Reward, self.new)
        update_many(session, Reward, self.changed)
        update_many(session, Reward, self.emptied)
        insert_many(session, RewardStatusChange, self.moves)
        kinds = ledger.post(
            session,
            [
                Difference(
                    row["id"], row["partner_id"], row["currency"], row["status"],
                    posting.amount_minor, posting.cause, posting.kind, dated=posting.dated,
                )
                for row, posting in self.differences
            ],
        )  # fmt: skip
        for status, rows in sorted(self.carried.items()):
            ledger.move(session, rows, status, MACHINE)
        if telling.is_wanted(session):
            self._tell(session, kinds)
        return kinds

    def _tell(self, session: Session, kinds: Sequence[str]) -> None:
        new = {row["id"] for row in self.new}
        posted = [
            telling.Posted(row["id"], kind, posting.amount_minor, row["id"] in new)
            for (row, posting), kind in zip(self.differences, kinds, strict=True)
        ]
        moved = [telling.Moved(one["reward_id"], one["from_status"], one["to_status"])
                 for one in self.moves]  # fmt: skip
        telling.tell(session, posted, moved)


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
        _compare_slot(verdict, slot, wanted.get(slot), slots.get(slot, []), cause, money, changes)


def _compare_slot(
    verdict: Verdict, slot: _Slot, target: Target | None, rewards: list[Held],
    cause: int | None, money: Money, changes: Changes,
) -> None:  # fmt: skip
    missing = missing_of(target.amount_minor if target else 0, rewards)
    kind = "cap_release" if _is_release(target, missing) else None
    told = max((one.told_log_id for one in rewards), default=0)
    dated = date(verdict, missing, told, cause) if missing else NOW
    posting = _Posting(missing, cause, kind, dated)
    open_one = next((o for o in reversed(rewards) if o.row.status in OPEN_STATUSES), None)
    facts = None
    if target is not None and (missing or open_one is not None):
        mine = missing + (open_one.amount_minor if open_one else 0)
        facts = _facts(verdict, target, target.amount_minor - mine, money)
    if open_one is not None:
        _change(verdict, open_one, target, facts, posting, changes)
    elif missing and facts is not None:
        row = _opened(verdict, slot, len(rewards) + 1, missing, _holds(verdict, target))
        changes.add(row | facts, posting)
    elif missing:
        changes.add(_opened_against(rewards[-1], len(rewards) + 1), posting)


def _is_release(target: Target | None, missing: int) -> bool:
    return target is not None and target.offer.released and missing > 0


def _holds(verdict: Verdict, target: Target | None) -> list[str]:
    """Why the rewards of a target have to wait, the gravest reason first."""
    own = None if target is None else target.offer.hold_reason
    return [*verdict.hold_reasons, *([own] if own else [])]


def _change(
    verdict: Verdict,
    one: Held,
    target: Target | None,
    facts: dict[str, Any] | None,
    posting: _Posting,
    changes: Changes,
) -> None:
    """Bring an open reward to its part; without `facts` nothing is due for it any more."""
    reasons = _holds(verdict, target)
    # What a person released stays released for as long as its cause is there.
    released = [reason for reason in one.row.released_holds or () if reason in reasons]
    wanted = next((reason for reason in reasons if reason not in released), None)
    status, hold = _status(one, one.amount_minor + posting.amount_minor, wanted)
    row: dict[str, Any] = {
        "id": one.row.id, "status": status, "hold_reason": hold, "released_holds": released or None,
    }  # fmt: skip
    if facts is not None:
        changes.changed.append(row | facts)
    else:
        changes.emptied.append(row | {"explanation": {"takes_back": one.row.id}})
    if status != one.row.status:
        changes.move(one, status, hold or one.row.hold_reason)
    if posting.amount_minor:
        known = {**row, "partner_id": one.row.partner_id, "currency": one.row.currency}
        changes.differences.append((known, posting))


def _status(one: Held, after_minor: int, wanted: str | None) -> tuple[str, str | None]:
    """Where the machine puts a reward that will come to an amount (V2).

    It moves rewards between pending and its own holds. A debt needs no review (A4): what becomes
    one is approved, what is none any more is to be reviewed, unless a person approved it. And a
    refund under way takes an approval back until it is known what comes of it (A2).
    """
    status, hold_reason = one.row.status, one.row.hold_reason
    if status == "approved":
        if one.is_debt and after_minor > 0:
            return ("hold", wanted) if wanted else ("pending", None)
        is_open = wanted == REFUND_OPEN and not one.is_debt and after_minor > 0
        return ("hold", REFUND_OPEN) if is_open else ("approved", None)
    if hold_reason and hold_reason not in MACHINE_HOLDS:
        return status, hold_reason
    if after_minor < 0:
        return "approved", None
    if wanted:
        return "hold", wanted
    return ("approved" if one.was_approved else "pending"), None


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
    verdict: Verdict, slot: _Slot, seq: int, missing: int, reasons: Sequence[str]
) -> dict[str, Any]:
    """A new reward; against one that was paid or declined, what is taken back is approved (A4)."""
    hold = reasons[0] if reasons and missing > 0 else None
    status = "approved" if missing < 0 else "hold" if hold else "pending"
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
