"""What must hold of rewards and their ledger at every moment, read with plain SQL-like queries."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward

# Account -> where what is owed for a reward stands; a debt of the partner is our receivable.
OWED = {"pending": "payable_pending", "hold": "payable_pending", "approved": "payable_approved",
        "in_payout": "payable_in_payout", "paid": "paid"}  # fmt: skip
BY_HAND = ("adjust", "manual")


class Book(NamedTuple):
    """The ledger at one moment."""

    rewards: dict[int, Any]
    entries: Sequence[Any]
    postings: Sequence[Any]


def read_book(session: Session) -> Book:
    columns = (
        Reward.id, Reward.invoice_id, Reward.rule_version_id, Reward.partner_id, Reward.currency,
        Reward.status, Reward.seq,
    )  # fmt: skip
    rewards = {row.id: row for row in session.execute(select(*columns))}
    entries = session.execute(
        select(
            LedgerEntry.id, LedgerEntry.reward_id, LedgerEntry.kind, LedgerEntry.amount_minor,
            LedgerEntry.cause_event_id,
        ).order_by(LedgerEntry.id)
    ).all()  # fmt: skip
    postings = session.execute(
        select(
            LedgerPosting.entry_id, LedgerPosting.account, LedgerPosting.partner_id,
            LedgerPosting.currency, LedgerPosting.amount_minor,
        )
    ).all()  # fmt: skip
    return Book(rewards, entries, postings)


def broken_rules(book: Book) -> list[str]:
    """DOMAIN V8: what does not add up, in words."""
    sums: dict[str, int] = defaultdict(int)
    sides: dict[int, int] = defaultdict(int)
    accounts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reward_of = {entry.id: entry.reward_id for entry in book.entries}
    found = []
    for posting in book.postings:
        sums[posting.currency] += posting.amount_minor
        sides[posting.entry_id] += posting.amount_minor
        reward = book.rewards[reward_of[posting.entry_id]]
        accounts[reward.id][posting.account] += posting.amount_minor
        if (posting.partner_id, posting.currency) != (reward.partner_id, reward.currency):
            found.append(f"entry {posting.entry_id} is on the accounts of somebody else")
    found += [f"{currency} sums to {total}" for currency, total in sums.items() if total]
    found += [f"entry {entry} has sides that sum to {total}" for entry, total in sides.items()
              if total]  # fmt: skip
    return found + _misplaced(book, accounts)


def _misplaced(book: Book, accounts: dict[int, dict[str, int]]) -> list[str]:
    """Rewards whose money does not stand where their status says."""
    amounts: dict[int, int] = defaultdict(int)
    for entry in book.entries:
        amounts[entry.reward_id] += entry.amount_minor
    found = []
    for reward in book.rewards.values():
        amount = 0 if reward.status == "declined" else amounts[reward.id]
        wanted = {}
        if amount:
            debt = reward.status == "approved" and amount < 0
            place = "clawback_receivable" if debt else OWED[reward.status]
            wanted = {"expense": amount, place: -amount}
        held = {name: total for name, total in accounts[reward.id].items() if total}
        if held != wanted:
            found.append(f"reward {reward.id} is {reward.status}: {held}, not {wanted}")
    return found


def by_machine(book: Book) -> dict[tuple[str, int, int], tuple[int, int]]:
    """(invoice, rule version, partner) -> what recalculation posted to rewards that were not
    declined, and to those that were; whatever people added."""
    found: dict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for entry in book.entries:
        if entry.kind not in BY_HAND:
            reward = book.rewards[entry.reward_id]
            slot = (reward.invoice_id, reward.rule_version_id, reward.partner_id)
            found[slot][reward.status == "declined"] += entry.amount_minor
    return {slot: (owed, declined) for slot, (owed, declined) in found.items()}


def changed_entries(before: Sequence[Any], book: Book) -> list[Any]:
    """DOMAIN V1: entries of an earlier moment that are no longer what they were."""
    now = {entry.id: entry for entry in book.entries}
    return [entry for entry in before if now.get(entry.id) != entry]
