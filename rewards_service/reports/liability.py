"""What is owed to partners: to be reviewed, held, approved and not paid, now or as it was then.

The second clock alone: what was known at a moment. The balances of now come from the month
roll-up; those of an earlier moment are these less what was posted since.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

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
_Slot = tuple[int, str]  # (partner, currency)


def report(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, limit: int,
    after: Sequence[Any] | None,
) -> tuple[Row, list[Any] | None]:  # fmt: skip
    """The answer of the report: `totals` over all partners, `data` by partner, page by page.

    wanted: `as_of` (a time that has come), `partner_id`, `currency`, if given. `total_minor` is the
    sum of the others; what partners owe is below zero.
    """
    check_as_of(wanted.get("as_of"))
    some = page(session, wanted, found, limit, after)
    answer = {
        "as_of": wanted.get("as_of"),
        "totals": totals(session, wanted, found),
        "data": some.rows,
        **told(found),
    }
    return answer, some.last


def totals(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> list[Row]:
    """What is owed to all partners together, by currency."""
    sums = _balances(wanted)
    query = select(sums.c.currency, *_summed(sums)).group_by(sums.c.currency)
    held: Counter[str] = Counter()
    for (_, currency), amount in _held(session, wanted, None).items():
        held[currency] += amount
    rows = [
        _row({"currency": currency}, values, held[currency])
        for currency, *values in session.execute(query.order_by(sums.c.currency))
    ]
    rows = [row for row in rows if any(row[name] for name in AMOUNTS)]
    return rows if found is None else found.merge(rows, AMOUNTS, [])


def page(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, limit: int,
    after: Sequence[Any] | None,
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
    held = _held(session, wanted, {partner for partner, *_ in some})
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


def walk(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, size: int = 1_000
) -> Iterator[Row]:
    """All rows of all pages."""
    after: Sequence[Any] | None = None
    while True:
        some = page(session, wanted, found, size, after)
        yield from some.rows
        if some.last is None:
            return
        after = some.last


def _row(key: Row, values: Sequence[Any], held: int) -> Row:
    """Held rewards stand on the account of pending ones."""
    found = {name: int(value) for name, value in zip(months.STANDINGS, values, strict=True)}
    total = sum(found.values())
    found["pending_minor"] -= held
    return {**key, **{n: {**found, HELD: held, "total_minor": total}[n] for n in AMOUNTS}}


def _balances(wanted: Mapping[str, Any]) -> Any:
    """What moved (partner, currency) on each account of `STANDINGS`: its sums are the balance."""
    parts: list[Select[Any]] = [
        select(
            RewardMonth.partner_id.label("partner_id"),
            RewardMonth.currency.label("currency"),
            *(getattr(RewardMonth, name).label(name) for name in months.STANDINGS),
        ).where(*_filters(RewardMonth, wanted))
    ]
    if "as_of" in wanted:
        parts.append(_since(wanted))
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()


def _since(wanted: Mapping[str, Any]) -> Select[Any]:
    """What was posted to each account after `as_of`, debits positive: the opposite of a credit."""
    side = LedgerPosting
    return (
        select(
            side.partner_id,
            side.currency,
            *(
                case((side.account == account, side.amount_minor), else_=0)
                for account in months.STANDINGS.values()
            ),
        )
        .join(LedgerEntry, LedgerEntry.id == side.entry_id)
        .where(LedgerEntry.posted_at > wanted["as_of"], side.account != months.EXPENSE,
               *_filters(side, wanted))
    )  # fmt: skip


def _summed(sums: Any) -> list[Any]:
    return [func.sum(sums.c[name]) for name in months.STANDINGS]


def _filters(table: Any, wanted: Mapping[str, Any]) -> list[Any]:
    return [getattr(table, name) == wanted[name] for name in _KEY if name in wanted]


def _held(
    session: Session, wanted: Mapping[str, Any], partner_ids: set[int] | None
) -> dict[_Slot, int]:
    """(partner, currency) -> what stands for rewards that are, or were, on hold."""
    as_of: datetime | None = wanted.get("as_of")
    query = (
        select(Reward.partner_id, Reward.currency, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(Reward.status == "hold" if as_of is None else _was_held(as_of))
        .where(*_filters(Reward, wanted))
        .group_by(Reward.partner_id, Reward.currency)
    )
    if as_of is not None:
        query = query.where(LedgerEntry.posted_at <= as_of)
    if partner_ids is not None:
        query = query.where(Reward.partner_id.in_(partner_ids))
    rows = session.execute(query)
    return {(partner, currency): int(amount) for partner, currency, amount in rows}


def _was_held(as_of: datetime) -> Any:
    """By the history of moves: the first move after a moment says what the reward was until it."""
    move, earlier = RewardStatusChange, aliased(RewardStatusChange)
    before = exists().where(
        earlier.reward_id == move.reward_id, earlier.at > as_of, earlier.id < move.id
    )
    left = select(move.reward_id).where(move.at > as_of, move.from_status == "hold", ~before)
    moved = exists().where(move.reward_id == Reward.id, move.at > as_of)
    return or_(and_(Reward.status == "hold", ~moved), Reward.id.in_(left))
