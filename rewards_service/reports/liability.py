"""What is owed to partners: to be reviewed, held, approved and not paid, now or as it was then.

The second clock alone: what was known at a moment. The balances of now come from the month
roll-up; those of an earlier moment from its months before, and from what was posted in that month
until then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, exists, func, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from rewards_service.kit.clock import start_of_day
from rewards_service.reports.converting import (
    MOST_CURRENCIES,
    Converter,
    Page,
    Row,
    told,
    whole_groups,
)
from rewards_service.reports.statements import check_as_of
from rewards_service.rewards import months
from rewards_service.rewards.models import (
    LedgerEntry,
    LedgerPosting,
    Reward,
    RewardMonth,
    RewardStatusChange,
)

HELD = "held_minor"
AMOUNTS = ("pending_minor", HELD, "approved_minor", "in_payout_minor", "owed_back_minor",
           "total_minor")  # fmt: skip
COLUMNS = ("partner_id", "currency", *AMOUNTS)
_KEY = ("partner_id", "currency")
_Held = dict[tuple[int, str], int]  # (partner, currency) -> minor units


def report(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, limit: int,
    after: Sequence[Any] | None,
) -> tuple[Row, list[Any] | None]:  # fmt: skip
    """The answer of the report: `totals` over all partners, `data` by partner, page by page.

    wanted: `as_of` (a time that has come), `partner_id`, `currency`, if given. `total_minor` is the
    sum of the others; what partners owe is below zero.
    """
    check_as_of(wanted.get("as_of"))
    held = held_amounts(session, wanted)
    some = page(session, wanted, found, limit, after, held)
    answer = {
        "as_of": wanted.get("as_of"),
        "totals": totals(session, wanted, found, held),
        "data": some.rows,
        **told(found),
    }
    return answer, some.last


def totals(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, held: _Held
) -> list[Row]:
    """What is owed to all partners together, by currency."""
    sums = _balances(wanted)
    query = select(sums.c.currency, *_summed(sums)).group_by(sums.c.currency)
    all_held: Counter[str] = Counter()
    for (_, currency), amount in held.items():
        all_held[currency] += amount
    rows = [
        _row({"currency": currency}, values, all_held[currency])
        for currency, *values in session.execute(query.order_by(sums.c.currency))
    ]
    rows = [row for row in rows if any(row[name] for name in AMOUNTS)]
    return rows if found is None else found.merge(rows, AMOUNTS, [])


def page(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, limit: int,
    after: Sequence[Any] | None, held: _Held,
) -> Page:  # fmt: skip
    """What is owed to each partner, by partner and currency; who is owed nothing is left out."""
    sums = _balances(wanted)
    keys = [sums.c.partner_id, sums.c.currency]
    query = select(*keys, *_summed(sums)).group_by(*keys).order_by(*keys)
    query = query.having(or_(*(column != 0 for column in _summed(sums))))
    if after is not None:
        query = query.where(tuple_(*keys[: len(after)]) > tuple(after))
    reach = limit + (1 if found is None else MOST_CURRENCIES)
    some = session.execute(query.limit(reach)).all()
    rows = [
        _row({"partner_id": partner, "currency": currency}, values,
             held.get((partner, currency), 0))
        for partner, currency, *values in some
    ]  # fmt: skip
    if found is None:
        last = [rows[limit - 1][name] for name in _KEY] if len(rows) > limit else None
        return Page(rows[:limit], last)
    groups, last = whole_groups(rows, lambda row: [row["partner_id"]], limit, len(rows) < reach)
    return Page([row for group in groups for row in found.merge(group, AMOUNTS, [])], last)


def _row(key: Row, values: Sequence[Any], held: int) -> Row:
    """Held rewards stand on the account of pending ones."""
    found = {name: int(value) for name, value in zip(months.STANDINGS, values, strict=True)}
    total = sum(found.values())
    found["pending_minor"] -= held
    return {**key, **{n: {**found, HELD: held, "total_minor": total}[n] for n in AMOUNTS}}


def _balances(wanted: Mapping[str, Any]) -> Any:
    """What moved (partner, currency) on each account of `STANDINGS`: its sums are the balance."""
    row = RewardMonth
    months_known: Select[Any] = select(
        row.partner_id.label("partner_id"),
        row.currency.label("currency"),
        *(getattr(row, name).label(name) for name in months.STANDINGS),
    ).where(*_filters(row, wanted))
    if "as_of" not in wanted:
        return months_known.subquery()
    known_on = months.month_of(wanted["as_of"])
    begun = _posted_between(start_of_day(known_on, "UTC"), wanted)
    return union_all(months_known.where(row.known_on < known_on), begun).subquery()


def _posted_between(from_at: datetime, wanted: Mapping[str, Any]) -> Select[Any]:
    """What was posted to each account from then until `as_of`, credits positive."""
    side = LedgerPosting
    return (
        select(
            side.partner_id,
            side.currency,
            *(
                case((side.account == account, -side.amount_minor), else_=0)
                for account in months.STANDINGS.values()
            ),
        )
        .join(LedgerEntry, LedgerEntry.id == side.entry_id)
        .where(
            LedgerEntry.posted_at >= from_at,
            LedgerEntry.posted_at <= wanted["as_of"],
            *_filters(side, wanted),
        )
    )


def _summed(sums: Any) -> list[Any]:
    return [func.sum(sums.c[name]) for name in months.STANDINGS]


def _filters(table: Any, wanted: Mapping[str, Any]) -> list[Any]:
    return [getattr(table, name) == wanted[name] for name in _KEY if name in wanted]


def held_amounts(session: Session, wanted: Mapping[str, Any]) -> _Held:
    """(partner, currency) -> what stands for rewards that are, or were, on hold."""
    as_of: datetime | None = wanted.get("as_of")
    query = (
        select(Reward.partner_id, Reward.currency, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(*_filters(Reward, wanted))
        .group_by(Reward.partner_id, Reward.currency)
    )
    if as_of is None:
        query = query.where(Reward.status == "hold")
    else:
        query = query.where(Reward.id.in_(_held_then(as_of)), LedgerEntry.posted_at <= as_of)
    rows = session.execute(query)
    return {(partner, currency): int(amount) for partner, currency, amount in rows}


def _held_then(as_of: datetime) -> Any:
    """By the history of moves: the first move after a moment says what the reward was until it."""
    move = RewardStatusChange
    first = select(func.min(move.id).label("id")).where(move.at > as_of).group_by(move.reward_id)
    left = select(move.reward_id).where(
        move.id.in_(first.scalar_subquery()), move.from_status == "hold"
    )
    moved = exists().where(move.reward_id == Reward.id, move.at > as_of)
    stayed = select(Reward.id).where(Reward.status == "hold", ~moved)
    return left.union_all(stayed)
