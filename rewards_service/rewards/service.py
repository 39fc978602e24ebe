"""Calculate rewards of due invoices and post what is missing (DOMAIN A4, V9)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.crm.models import AttributionConflict
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import (
    insert_many,
    insert_missing,
    reserve_ids,
    table_of,
    update_many,
)
from rewards_service.mirror.queries import Key
from rewards_service.rewards import ledger, queries
from rewards_service.rewards.assembly import Verdict, judge
from rewards_service.rewards.engine import Target
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.ledger import Difference
from rewards_service.rewards.models import OPEN_STATUSES, Reward, RewardStatusChange
from rewards_service.rewards.queries import Held, Money
from rewards_service.transactions.models import Transaction
from rewards_service.transactions.queries import lock_free_ones

# Holds that the machine sets and lifts by itself; any other is a person's.
MACHINE_HOLDS = ("conflict", "lead_pending", "refund_open")
_Slot = tuple[int, int]  # (rule version, partner)


@dataclass(slots=True)
class _Changes:
    """Rows to write, gathered over a batch."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    emptied: list[dict[str, Any]] = field(default_factory=list)  # nothing is due for them now
    moves: list[dict[str, Any]] = field(default_factory=list)
    differences: list[tuple[dict[str, Any], int, int | None]] = field(default_factory=list)


def calculate(session: Session, causes: Mapping[Key, int | None]) -> list[str]:
    """Bring rewards of these invoices to their targets: invoice -> causing event.

    Returns the kinds of the ledger entries posted. The caller owns the transaction and has the
    rewards stage to itself.
    """
    money = queries.load_money(session, causes.keys())
    people = queries.load_people(session, money)
    held = queries.load_rewards(session, money.invoices.keys() | causes.keys())
    changes = _Changes()
    verdicts = {}
    for key in sorted(money.invoices.keys() | causes.keys()):
        verdicts[key] = judge(key, money, people, held.get(key, []))
        _compare(verdicts[key], held.get(key, []), causes.get(key), money, changes)
    kinds = _write(session, changes)
    _write_reasons(session, money, verdicts)
    _open_conflicts(session, verdicts.values())
    return kinds


def _compare(
    verdict: Verdict,
    held: Sequence[Held],
    cause: int | None,
    money: Money,
    changes: _Changes,
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
        missing = amount - sum(one.amount_minor for one in rewards)
        open_one = next((o for o in reversed(rewards) if o.row.status in OPEN_STATUSES), None)
        settled = sum(one.amount_minor for one in rewards if one is not open_one)
        facts = None
        if target is not None and (missing or open_one is not None):
            facts = _facts(verdict, target, settled, money)
        if open_one is not None:
            _change(verdict, open_one, facts, missing, cause, changes)
        elif missing and facts is not None:
            _open(verdict, slot, len(rewards) + 1, facts, missing, cause, changes)
        elif missing:
            _open_against(rewards[-1], len(rewards) + 1, missing, cause, changes)


def _change(
    verdict: Verdict,
    one: Held,
    facts: dict[str, Any] | None,
    missing: int,
    cause: int | None,
    changes: _Changes,
) -> None:
    """Bring an open reward to its target; without `facts` nothing is due for it any more."""
    status, hold = _status(one.row.status, one.row.hold_reason, verdict.hold_reason)
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
    if missing:
        known = {**row, "partner_id": one.row.partner_id, "currency": one.row.currency}
        changes.differences.append((known, missing, cause))


def _status(status: str, hold_reason: str | None, wanted: str | None) -> tuple[str, str | None]:
    """The machine moves rewards between pending and its own holds only (V2)."""
    if status not in ("pending", "hold") or (hold_reason and hold_reason not in MACHINE_HOLDS):
        return status, hold_reason
    return ("hold", wanted) if wanted else ("pending", None)


def _facts(verdict: Verdict, target: Target, settled_minor: int, money: Money) -> dict[str, Any]:
    anchor = verdict.anchor
    if anchor is None:
        raise ValueError("A target without a payment cannot be.")
    return {
        "customer_id": verdict.owner_id,
        "transaction_id": money.recorded[(verdict.key[0], anchor.payment_id)].id,
        "available_on": verdict.available_on(target.version),
        "anchor_paid_at": anchor.paid_at,
        "explanation": {**stored_explanation(verdict, target), "earlier_minor": settled_minor},
    }


def _open(
    verdict: Verdict,
    slot: _Slot,
    seq: int,
    facts: dict[str, Any],
    missing: int,
    cause: int | None,
    changes: _Changes,
) -> None:
    """A new reward; against one that was paid or declined, what is taken back is approved (A4)."""
    status, hold = _status("pending", None, verdict.hold_reason)
    if missing < 0:
        status, hold = "approved", None
    row = {
        "integration_id": verdict.key[0],
        "invoice_id": verdict.key[1],
        "rule_version_id": slot[0],
        "partner_id": slot[1],
        "seq": seq,
        "currency": verdict.currency,
        "status": status,
        "hold_reason": hold,
        "created_at": utc_now(),
        **facts,
    }
    changes.new.append(row)
    changes.differences.append((row, missing, cause))


def _open_against(last: Held, seq: int, missing: int, cause: int | None, changes: _Changes) -> None:
    """Nothing is due any more, but the reward is settled: take it back under a new seq."""
    row = {**last.row._asdict(), "seq": seq, "status": "approved", "hold_reason": None}
    row |= {"created_at": utc_now(), "explanation": {"takes_back": last.row.id}}
    changes.new.append(row)
    changes.differences.append((row, missing, cause))


def _write(session: Session, changes: _Changes) -> list[str]:
    ids = reserve_ids(session, table_of(Reward), len(changes.new))
    for reward_id, row in zip(ids, changes.new, strict=True):
        row["id"] = reward_id
    insert_many(session, Reward, changes.new)
    update_many(session, Reward, changes.changed)
    update_many(session, Reward, changes.emptied)
    insert_many(session, RewardStatusChange, changes.moves)
    return ledger.post(
        session,
        [
            Difference(row["id"], row["partner_id"], row["currency"], row["status"], amount, cause)
            for row, amount, cause in changes.differences
        ],
    )


def _write_reasons(session: Session, money: Money, verdicts: Mapping[Key, Verdict]) -> None:
    """Say on each payment of the due invoices why it earned nothing; None when it earned (V11)."""
    touched = {payer for key in money.due for payer in money.paid_by.get(key, [])}
    changed = []
    for payer in sorted(touched):
        row = money.recorded[payer]
        reason = _reason(payer, money, verdicts)
        if reason != row.reason:
            changed.append({"id": row.id, "reason": reason})
    # Whoever changes a payment right now makes its invoices due again, and waits for us to finish
    # with them: to wait for it in turn would be a deadlock.
    free = lock_free_ones(session, [row["id"] for row in changed])
    update_many(session, Transaction, [row for row in changed if row["id"] in free])


def _reason(payer: Key, money: Money, verdicts: Mapping[Key, Verdict]) -> str | None:
    reasons = [
        verdicts[(payer[0], invoice_id)].reasons.get(payer, "unapplied_payment")
        if (payer[0], invoice_id) in verdicts
        else "parked_missing_parent"
        for invoice_id, applied in money.applications[payer].items()
        if applied > 0
    ]
    if not reasons:
        return "unapplied_payment"
    if "parked_missing_parent" in reasons:
        return "parked_missing_parent"
    return None if None in reasons else reasons[0]


def _open_conflicts(session: Session, verdicts: Iterable[Verdict]) -> None:
    """A3: an invoice whose payable is gone while cash is kept needs a person."""
    rows = [
        {
            "kind": "inconsistent_invoice",
            "natural_key": f"inconsistent_invoice:{verdict.key[0]}:{verdict.key[1]}",
            "subject_kind": "integration",
            "subject_id": verdict.key[0],
            "candidates": {"chargebee_invoice_id": verdict.key[1]},
            "opened_at": utc_now(),
        }
        for verdict in verdicts
        if verdict.inconsistent
    ]
    insert_missing(session, AttributionConflict, rows)
