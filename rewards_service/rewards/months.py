"""The month roll-up: what each partner's ledger entries come to, by months and currency.

Kept in the transaction of the postings. A batch adds what it posted with one statement; the
database adds, so that nothing is lost whoever else posts, and rows are taken in the order of their
keys, so that nobody waits in a circle.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    Date,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import insert_rows
from rewards_service.kit.db import hold_stage, is_postgresql, table_of
from rewards_service.rewards.models import BY_HAND, LedgerEntry, LedgerPosting, Reward, RewardMonth

EXPENSE, PAID, CLAWBACK = "expense", "paid", "clawback_receivable"
KEY = ("partner_id", "month_on", "known_on", "currency")
EFFECTS = ("earned_minor", "reversed_minor", "adjusted_minor", "declined_minor", "paid_minor")
# Column -> the account whose credits it holds.
STANDINGS = {
    "pending_minor": "payable_pending",
    "approved_minor": "payable_approved",
    "in_payout_minor": "payable_in_payout",
    "owed_back_minor": CLAWBACK,
}
COUNTS = ("rewards", "entries")
COLUMNS = (*EFFECTS, *STANDINGS, *COUNTS)
_COLUMN_OF = {account: column for column, account in STANDINGS.items()}
_EFFECT_OF = {
    "earn": "earned", "cap_release": "earned", "reverse": "reversed", "adjust": "adjusted",
    "manual": "adjusted",
}  # fmt: skip
_ADD = f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET " + ", ".join(
    f"{name} = reward_months.{name} + excluded.{name}" for name in COLUMNS
)


def effect_of(kind: str, amount_minor: int, sides: Mapping[str, int]) -> tuple[str | None, int]:
    """What an entry does to what its partner is owed, and by how much, minor units (pure).

    sides: account -> minor units, debit positive. (None, 0) for one that only carries it.
    """
    owed = sides.get(EXPENSE, 0) + sides.get(PAID, 0)
    if amount_minor:
        return _EFFECT_OF[kind], owed
    if owed == 0:
        return None, 0
    return ("paid" if sides.get(PAID) else "declined"), owed


def month_of(at: datetime) -> date:
    """The first day of the month, in UTC, of a time."""
    return at.astimezone(UTC).date().replace(day=1)


def add(
    session: Session, entries: Sequence[Mapping[str, Any]], postings: Sequence[Mapping[str, Any]]
) -> None:
    """Add what was just posted: the rows of entries, and those of all their sides."""
    sums: dict[tuple[int, date, date, str], Counter[str]] = defaultdict(Counter)
    slots = {}
    for entry in entries:
        happened_on, known_on = month_of(entry["happened_at"]), month_of(entry["posted_at"])
        slot = (entry["partner_id"], happened_on, known_on, entry["currency"])
        slots[entry["id"]] = sums[slot]
        if entry["effect"] is not None:
            sums[slot][f"{entry['effect']}_minor"] += entry["owed_minor"]
            sums[slot]["entries"] += 1
        sums[slot]["rewards"] += entry["opens"]
    for posting in postings:
        column = _COLUMN_OF.get(posting["account"])
        if column is not None:
            slots[posting["entry_id"]][column] -= posting["amount_minor"]
    rows = [
        dict(zip(KEY, slot, strict=True)) | {name: counted[name] for name in COLUMNS}
        for slot, counted in sorted(sums.items())
    ]
    insert_rows(session, table_of(RewardMonth), rows, _ADD)


def rebuild(session: Session) -> None:
    """Make the roll-up anew from the ledger. Whoever wants to post waits until commit."""
    hold_stage(session, "rewards")
    session.execute(delete(RewardMonth))
    names = [*KEY, *COLUMNS]
    session.execute(insert(RewardMonth).from_select(names, raw(session), include_defaults=False))
    session.expire_all()


def raw(session: Session) -> Select[Any]:
    """The roll-up as the ledger itself gives it: columns KEY and COLUMNS."""
    parts = union_all(_by_entry(session), _by_side(session)).subquery()
    sums = [func.sum(parts.c[name]).label(name) for name in COLUMNS]
    keys = [parts.c[name] for name in KEY]
    return select(*keys, *sums).group_by(*keys)


def month_column(session: Session, at: Any) -> Any:
    """`month_of` in the database."""
    if is_postgresql(session):
        return cast(func.date_trunc("month", func.timezone("UTC", at)), Date)
    return type_coerce(func.date(at, "start of month"), Date)


def _keys(session: Session) -> list[Any]:
    return [
        Reward.partner_id.label("partner_id"),
        month_column(session, LedgerEntry.happened_at).label("month_on"),
        month_column(session, LedgerEntry.posted_at).label("known_on"),
        Reward.currency.label("currency"),
    ]


def _by_entry(session: Session) -> Select[Any]:
    """What entries with an amount did, and how many had an effect or opened a reward."""
    kind, amount = LedgerEntry.kind, LedgerEntry.amount_minor
    sums = {
        "earned_minor": case((kind.in_(("earn", "cap_release")), amount), else_=0),
        "reversed_minor": case((kind == "reverse", amount), else_=0),
        "adjusted_minor": case((kind.in_(BY_HAND), amount), else_=0),
        "rewards": case((LedgerEntry.opens, 1), else_=0),
        "entries": case((amount != 0, 1), else_=0),
    }
    return _summed(session, sums)


def _by_side(session: Session) -> Select[Any]:
    """What sides did: those of entries without an amount to what is owed, all to where it stands.

    An entry without an amount has at most one side on the two accounts outside of what is owed.
    """
    account, amount = LedgerPosting.account, LedgerPosting.amount_minor
    carries = LedgerEntry.amount_minor == 0
    sums = {
        "declined_minor": case((and_(carries, account == EXPENSE), amount), else_=0),
        "paid_minor": case((and_(carries, account == PAID), amount), else_=0),
        "entries": case((and_(carries, account.in_((EXPENSE, PAID)), amount != 0), 1), else_=0),
        **{name: case((account == its, -amount), else_=0) for name, its in STANDINGS.items()},
    }
    return _summed(session, sums).join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)


def _summed(session: Session, sums: Mapping[str, Any]) -> Select[Any]:
    keys = _keys(session)
    columns = [
        func.sum(sums[name]).label(name) if name in sums else literal(0).label(name)
        for name in COLUMNS
    ]
    return (
        select(*keys, *columns)
        .select_from(LedgerEntry)
        .join(Reward, Reward.id == LedgerEntry.reward_id)
        .group_by(*keys)
    )
