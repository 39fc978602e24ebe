"""Post differences to rewards, double entry, never changing a row once written (V1, V8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many, reserve_ids, table_of
from rewards_service.kit.errors import RewardsError
from rewards_service.rewards.models import LedgerEntry, LedgerPosting

EARN = "earn"
REVERSE = "reverse"
EXPENSE = "expense"
# The account that carries what is owed for a reward, by its status.
PAYABLE = {
    "pending": "payable_pending",
    "hold": "payable_pending",
    "approved": "payable_approved",
}


class Unbalanced(RewardsError):
    code = "ledger_unbalanced"
    title = "The sides of a ledger entry do not sum to zero."


@dataclass(slots=True)
class Difference:
    """What is to be added to one reward, minor units, not 0, and the event that caused it."""

    reward_id: int
    partner_id: int
    currency: str
    status: str
    amount_minor: int
    cause_event_id: int | None


def post(session: Session, differences: Sequence[Difference]) -> list[str]:
    """Write one entry with two sides for each difference. Returns the kinds of the entries."""
    ids = reserve_ids(session, table_of(LedgerEntry), len(differences))
    now = utc_now()
    entries, postings = [], []
    for entry_id, difference in zip(ids, differences, strict=True):
        kind = EARN if difference.amount_minor > 0 else REVERSE
        entries.append(
            {
                "id": entry_id,
                "reward_id": difference.reward_id,
                "kind": kind,
                "amount_minor": difference.amount_minor,
                "cause_event_id": difference.cause_event_id,
                "posted_at": now,
            }
        )
        sides = _sides(entry_id, difference)
        _check_balance(sides)
        postings += sides
    insert_many(session, LedgerEntry, entries)
    insert_many(session, LedgerPosting, postings)
    return [entry["kind"] for entry in entries]  # type: ignore[misc]


def _sides(entry_id: int, difference: Difference) -> list[dict[str, Any]]:
    """The expense grows, and with it what is owed; a reversal is the same with the other sign."""
    amounts = {
        EXPENSE: difference.amount_minor,
        PAYABLE[difference.status]: -difference.amount_minor,
    }
    return [
        {
            "entry_id": entry_id,
            "account": account,
            "partner_id": difference.partner_id,
            "currency": difference.currency,
            "amount_minor": amount,
        }
        for account, amount in amounts.items()
    ]


def _check_balance(sides: Iterable[dict[str, Any]]) -> None:
    if sum(side["amount_minor"] for side in sides) != 0:
        raise Unbalanced
