"""Whether a payout is what the ledger says: asked when it is made, and again when it is paid."""

from collections.abc import Iterable
from hashlib import sha256

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.errors import Conflict
from rewards_service.kit.money import format_minor
from rewards_service.payouts import queries
from rewards_service.payouts.models import Payout, PayoutLine
from rewards_service.rewards.ledger import PAYABLE, standing


class PayoutDisagreesWithLedger(Conflict):
    code = "payout_disagrees_with_ledger"
    title = "The payout and the ledger do not agree; nothing was moved."


def check_ledger(session: Session, payout: Payout, status: str) -> list[int]:
    """The keys of its rewards, when lines, entries and accounts agree to the unit.

    Raises PayoutDisagreesWithLedger, with the first that does not.
    """
    query = select(PayoutLine.reward_id, PayoutLine.amount_minor).where(
        PayoutLine.payout_id == payout.id, PayoutLine.active
    )
    lines = {row.reward_id: row.amount_minor for row in session.execute(query)}
    sums = queries.entry_sums(session, lines)
    accounts = standing(session, lines)
    for reward_id, amount in lines.items():
        stands = {name: held for name, held in accounts.get(reward_id, {}).items() if held}
        if sums.get(reward_id) != amount or stands != {PAYABLE[status]: -amount}:
            raise _disagreement(
                payout, f"Of {amount} of reward {ids.encode('rew', reward_id)}, {stands} stands"
            )
    entries = queries.amount_entries(session, lines)
    if sum(lines.values()) != payout.total_minor or len(lines) != payout.line_count:
        raise _disagreement(payout, "Its lines do not sum to its total")
    if digest(entries, list(lines)) != payout.ledger_sha256:
        raise _disagreement(payout, "Entries were posted to its rewards since it was made")
    return sorted(lines)


def _disagreement(payout: Payout, what: str) -> PayoutDisagreesWithLedger:
    total = format_minor(payout.total_minor, payout.currency)
    return PayoutDisagreesWithLedger(
        f"{what}; the payout says {total}. Run `rewards check`, and cancel the payout when its "
        "rewards are right: a new one takes them as they are."
    )


def digest(entries: dict[int, list[list[int]]], reward_ids: Iterable[int]) -> str:
    """The SHA-256 of the ledger entries (`queries.amount_entries`) of rewards."""
    rows = [[reward_id, entries.get(reward_id, [])] for reward_id in sorted(reward_ids)]
    return sha256(orjson.dumps(rows)).hexdigest()
