"""Add to rewards by hand, or take from them (DOMAIN V1, V4)."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, undefer

from rewards_service.audit.service import record
from rewards_service.kit import ids
from rewards_service.kit.money import MAX_AMOUNT, format_minor
from rewards_service.kit.refusals import invalid_member
from rewards_service.rewards import ledger
from rewards_service.rewards.ledger import Difference
from rewards_service.rewards.listing import Entry
from rewards_service.rewards.models import BY_HAND, OPEN_STATUSES, LedgerEntry, Reward
from rewards_service.rewards.review import lock, write_off
from rewards_service.rewards.telling import Posted, tell
from rewards_service.transactions.service import mark_due

# What a reward beside a settled one takes from it.
_COPIED = (
    "integration_id", "invoice_id", "rule_version_id", "partner_id", "customer_id",
    "transaction_id", "currency", "available_on", "anchor_paid_at", "explanation",
)  # fmt: skip


def adjust(
    session: Session,
    reward_key: int,
    amount_minor: int,
    reason: str,
    actor: str,
    may_write_off: bool = False,
) -> Reward:
    """Add to a reward by hand, or take from it; the reward that carries the entry (V1, V4).

    A settled reward stays as it is: the entry goes to the open one of the same invoice, rule
    version and partner, or opens it: approved when negative, pending when positive. Raising what
    stands below zero writes off a debt: WriteOffNeedsAdmin unless `may_write_off`. Raises
    NotFound; Unprocessable when the sum would be out of bounds.
    """
    (asked,) = lock(session, [reward_key])
    row = asked if asked.status in OPEN_STATUSES else _open_beside(session, asked, amount_minor)
    before = _amount(session, row)
    if before < 0 < amount_minor and not may_write_off:
        raise write_off(row, before)
    if abs(before + amount_minor) > MAX_AMOUNT:
        raise invalid_member("amount_minor", "The reward would be larger than can be stored.")
    difference = Difference(
        row.id, row.partner_id, row.currency, row.status, amount_minor, None,
        kind=ledger.ADJUST, reason=reason, actor=actor,
    )  # fmt: skip
    opened = not session.scalar(select(exists().where(LedgerEntry.reward_id == row.id)))
    ledger.post(session, [difference])
    tell(session, [Posted(row.id, ledger.ADJUST, amount_minor, opened)])
    detail = {
        "before": {"amount_minor": before},
        "after": {"amount_minor": before + amount_minor, "status": row.status, "seq": row.seq},
        "amount_minor": amount_minor,
        "asked_for": ids.encode("rew", asked.id),
    }
    record(session, "reward.adjusted", ("reward", row.id), detail, actor, reason)
    return row


def explain(rendered: dict[str, Any], entries: Iterable[Entry], currency: str) -> dict[str, Any]:
    """An explanation as `explaining.render` made it, and after it what people added by hand."""
    steps: list[dict[str, Any]] = [
        {
            "label": "by hand",
            "detail": f"Adjusted by hand by {format_minor(entry.amount_minor, currency)}: "
            f"{entry.reason}",
            "value_minor": entry.amount_minor,
        }
        for entry in entries
        if entry.kind in BY_HAND
    ]
    text = " ".join([rendered["text"], *(step["detail"] for step in steps)])
    return {**rendered, "steps": [*rendered["steps"], *steps], "text": text}


def _amount(session: Session, row: Reward) -> int:
    query = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0))
    return int(session.scalars(query.where(LedgerEntry.reward_id == row.id)).one())


def _open_beside(session: Session, settled: Reward, amount_minor: int) -> Reward:
    """The open reward of the same invoice, rule version and partner; a new one if there is none."""
    query = (
        select(Reward)
        .where(
            Reward.integration_id == settled.integration_id,
            Reward.invoice_id == settled.invoice_id,
            Reward.rule_version_id == settled.rule_version_id,
            Reward.partner_id == settled.partner_id,
        )
        .order_by(Reward.seq)
        .options(undefer(Reward.explanation))
        .with_for_update()
    )
    rows = session.scalars(query).all()
    for row in reversed(rows):
        if row.status in OPEN_STATUSES:
            return row
    last = rows[-1]
    row = Reward(**{name: getattr(last, name) for name in _COPIED}, seq=last.seq + 1)
    row.status = "approved" if amount_minor < 0 else "pending"
    mark_due(session, {(row.integration_id, row.invoice_id): None})  # its explanation is another
    session.add(row)
    session.flush()
    return row
