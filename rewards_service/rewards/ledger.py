"""Post differences to rewards, double entry, never changing a row once written (V1, V8)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.bulk import among
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import chunks, fetch_rows, insert_many, reserve_ids, table_of
from rewards_service.kit.errors import RewardsError
from rewards_service.rewards import months
from rewards_service.rewards.dating import NOW, Dated
from rewards_service.rewards.models import LedgerEntry, LedgerPosting
from rewards_service.rewards.months import CLAWBACK, EXPENSE, PAID, effect_of

EARN = "earn"
REVERSE = "reverse"
ADJUST = "adjust"
# The account that carries what is owed for a reward, by its status.
PAYABLE = {
    "pending": "payable_pending",
    "hold": "payable_pending",
    "approved": "payable_approved",
    "in_payout": "payable_in_payout",
    "paid": PAID,
    "declined": EXPENSE,  # nothing is owed, so nothing was spent
}
OPEN = ("pending", "hold", "approved")

Sides = dict[str, int]  # account -> minor units, debit positive, credit negative


class Unbalanced(RewardsError):
    code = "ledger_unbalanced"
    title = "The sides of a ledger entry do not sum to zero."


@dataclass(slots=True)
class Difference:
    """What is to be added to one open reward, minor units, not 0, and the event that caused it.

    `kind` None: an earning or a reversal, by the sign. A person's entry (`adjust`, `manual`)
    names its `reason` and `actor` and has no event. `dated`: when what it is about happened.
    """

    reward_id: int
    partner_id: int
    currency: str
    status: str
    amount_minor: int
    cause_event_id: int | None
    kind: str | None = None
    reason: str | None = None
    actor: str | None = None
    dated: Dated = NOW


class OfPartner(Protocol):
    """What `move` needs to know of a reward."""

    @property
    def id(self) -> int: ...
    @property
    def partner_id(self) -> int: ...
    @property
    def currency(self) -> str: ...


def account_of(status: str, owed_minor: int) -> str:
    """Where what is owed for a reward stands: a partner's debt is a receivable of ours (V8).

    It stays one until a payout nets it.
    """
    return CLAWBACK if status == "approved" and owed_minor < 0 else PAYABLE[status]


def post(session: Session, differences: Sequence[Difference]) -> list[str]:
    """Write one balanced entry for each difference. Returns the kinds of the entries.

    Raises ValueError for a settled reward: what follows opens another one (A4).
    """
    approved = {one.reward_id for one in differences if one.status == "approved"}
    owed = {key: -sum(sides.values()) for key, sides in standing(session, approved).items()}
    books = _Books(session, len(differences))
    known = _with_entries(session, {one.reward_id for one in differences})
    times = _times_of(session, {one.dated.by_log_id for one in differences} - {None})
    for one in differences:
        if one.status not in OPEN:
            raise ValueError(f"A reward that is {one.status} takes no more entries.")
        before = owed.get(one.reward_id, 0)
        owed[one.reward_id] = before + one.amount_minor
        books.add(
            (one.reward_id, one.partner_id, one.currency),
            _sides(one, before),
            kind=one.kind or (EARN if one.amount_minor > 0 else REVERSE),
            amount_minor=one.amount_minor,
            cause_event_id=one.cause_event_id,
            reason=one.reason,
            actor=one.actor,
            happened_at=one.dated.at or times.get(one.dated.by_log_id),
            opens=one.reward_id not in known,
        )
        known.add(one.reward_id)
    return books.write()


def move(
    session: Session,
    rewards: Sequence[OfPartner],
    to_status: str,
    actor: str | None = None,
    happened_at: datetime | None = None,
) -> None:
    """Carry what is owed for rewards to the account of their new status, by entries of amount 0.

    Declined: back to expense. Where nothing has to be carried, nothing is written. `happened_at`
    None: now.
    """
    held = standing(session, {reward.id for reward in rewards})
    carried = []
    for reward in rewards:
        sides = _carry(held.get(reward.id, {}), to_status)
        if sides:
            carried.append((reward, sides))
    books = _Books(session, len(carried))
    for reward, sides in carried:
        books.add(
            (reward.id, reward.partner_id, reward.currency), sides,
            kind=ADJUST, amount_minor=0, cause_event_id=None, reason=None, actor=actor,
            happened_at=happened_at, opens=False,
        )  # fmt: skip
    books.write()


def standing(session: Session, reward_ids: Collection[int]) -> dict[int, Sides]:
    """Reward -> what stands on each of its accounts but expense; credits, what is owed, below 0."""
    found: dict[int, Sides] = defaultdict(dict)
    for some in chunks(sorted(reward_ids)):
        query = (
            select(
                LedgerEntry.reward_id, LedgerPosting.account, func.sum(LedgerPosting.amount_minor)
            )
            .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
            .where(among(session, LedgerEntry.reward_id, some), LedgerPosting.account != EXPENSE)
            .group_by(LedgerEntry.reward_id, LedgerPosting.account)
        )
        for reward_id, account, total in fetch_rows(session, query):
            found[reward_id][account] = int(total)
    return dict(found)


def _with_entries(session: Session, reward_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for some in chunks(sorted(reward_ids)):
        query = select(LedgerEntry.reward_id).where(among(session, LedgerEntry.reward_id, some))
        found.update(row.reward_id for row in fetch_rows(session, query.distinct()))
    return found


def _times_of(session: Session, log_ids: Collection[int | None]) -> dict[int | None, datetime]:
    """When events happened in Chargebee."""
    found: dict[int | None, datetime] = {}
    for some in chunks(sorted(one for one in log_ids if one is not None)):
        query = select(ReceivedEvent.id, ReceivedEvent.occurred_at)
        rows = fetch_rows(session, query.where(among(session, ReceivedEvent.id, some)))
        found.update({row.id: row.occurred_at for row in rows})
    return found


def _sides(one: Difference, owed_minor: int) -> Sides:
    """The expense grows, and with it what is owed; a reversal is the same with the other sign.

    An approved reward that turns into a debt, or back, changes two accounts.
    """
    after = owed_minor + one.amount_minor
    sides: Sides = defaultdict(int)
    sides[EXPENSE] += one.amount_minor
    sides[account_of(one.status, owed_minor)] += owed_minor
    sides[account_of(one.status, after)] -= after
    return {account: amount for account, amount in sides.items() if amount}


def _carry(held: Sides, to_status: str) -> Sides:
    target = account_of(to_status, -sum(held.values()))
    sides = {account: -amount for account, amount in held.items() if amount and account != target}
    carried = -sum(sides.values())
    return {**sides, target: carried} if carried else sides


class _Books:
    """Entries and their sides, checked one by one, written together."""

    def __init__(self, session: Session, size: int) -> None:
        self._session = session
        self._ids = iter(reserve_ids(session, table_of(LedgerEntry), size))
        self._now = utc_now()
        self._entries: list[dict[str, Any]] = []
        self._postings: list[dict[str, Any]] = []

    def add(self, whose: tuple[int, int, str], sides: Mapping[str, int], **entry: Any) -> None:
        """One entry of `whose` = (reward, partner, currency). Raises Unbalanced."""
        if sum(sides.values()) != 0 or not sides:
            raise Unbalanced
        reward_id, partner_id, currency = whose
        entry_id = next(self._ids)
        effect, owed_minor = effect_of(entry["kind"], entry["amount_minor"], sides)
        entry["happened_at"] = entry["happened_at"] or self._now
        self._entries.append(
            {
                "id": entry_id, "reward_id": reward_id, **entry, "posted_at": self._now,
                "partner_id": partner_id, "currency": currency, "effect": effect,
                "owed_minor": owed_minor,
            }
        )  # fmt: skip
        for account, amount in sides.items():
            self._postings.append(
                {
                    "entry_id": entry_id,
                    "account": account,
                    "partner_id": partner_id,
                    "currency": currency,
                    "amount_minor": amount,
                }
            )

    def write(self) -> list[str]:
        insert_many(self._session, LedgerEntry, self._entries)
        insert_many(self._session, LedgerPosting, self._postings)
        months.add(self._session, self._entries, self._postings)
        return [entry["kind"] for entry in self._entries]
