"""The statement of one partner for a month: what was owed, what changed it, what is owed then.

Two clocks. The month is that in which things happened; `as_of` says what was known. What became
known later changes what the statement of a month says, but not what it said: ask for it as of then.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from rewards_service.kit.clock import rfc3339, start_of_day, utc_now
from rewards_service.kit.errors import NotFound
from rewards_service.kit.fields import parse_instant
from rewards_service.kit.own import is_foreign
from rewards_service.kit.refusals import invalid_member
from rewards_service.partners.models import Partner
from rewards_service.reports.converting import Row
from rewards_service.reports.periods import after_month
from rewards_service.rewards import months
from rewards_service.rewards.models import EFFECTS, LedgerEntry, Reward, RewardMonth

COLUMNS = (
    "happened_at", "posted_at", "effect", "amount_minor", "currency", "reward_id",
    "chargebee_invoice_id", "reason", "actor",
)  # fmt: skip


class Wanted(NamedTuple):
    """Whose statement, of the month that begins on this day, as it was known then (None: now)."""

    partner_id: int
    month_on: date
    as_of: datetime | None = None
    currency: str | None = None

    @property
    def from_at(self) -> datetime:
        return start_of_day(self.month_on, "UTC")

    @property
    def before_at(self) -> datetime:
        return start_of_day(after_month(self.month_on), "UTC")


def report(
    session: Session,
    wanted: Wanted,
    limit: int,
    after: Sequence[Any] | None,
    own: int | None = None,
) -> tuple[Row, list[Any] | None]:
    """The statement with a page of its lines, and the place after which more follow.

    own: who asks may see this partner alone.

    `currencies`: `opening_minor` + the five `EFFECTS` = `closing_minor`, one row for each currency
    in which anything ever was. Raises NotFound; Unprocessable for an `as_of` that is to come.
    """
    check(session, wanted, own)
    some = lines(session, wanted, limit + 1, after)
    last = some[limit - 1] if len(some) > limit else None
    answer = {
        "partner_id": wanted.partner_id,
        "month": wanted.month_on,
        "timezone": "UTC",
        "from": wanted.from_at,
        "before": wanted.before_at,
        "as_of": wanted.as_of,
        "currencies": balances(session, wanted),
        "lines": some[:limit],
    }
    return answer, None if last is None else [rfc3339(last["happened_at"]), last["entry_id"]]


def check(session: Session, wanted: Wanted, own: int | None = None) -> None:
    """Raises NotFound; Unprocessable for an `as_of` that is to come."""
    if session.get(Partner, wanted.partner_id) is None or is_foreign(wanted.partner_id, own):
        raise NotFound("There is no such partner.")
    check_as_of(wanted.as_of)


def check_as_of(as_of: datetime | None) -> None:
    """Raises Unprocessable for a time that is to come: what will be known then, nobody knows."""
    if as_of is not None and as_of > utc_now():
        raise invalid_member("as_of", "This moment has not come yet.")


def balances(session: Session, wanted: Wanted) -> list[Row]:
    """By currency, minor units: opening, what changed it, closing."""
    parts: list[Any] = [_of_roll_up(wanted)]
    if wanted.as_of is not None:
        parts.append(_of_entries(wanted, wanted.as_of))
    rows: Any = union_all(*parts).subquery().c
    sums = [func.sum(rows[name]) for name in ("opening", *EFFECTS)]
    query = select(rows.currency, *sums).group_by(rows.currency).order_by(rows.currency)
    query = query.having(func.sum(rows.entries) > 0)
    found = []
    for currency, opening, *changes in session.execute(query):
        row = {f"{n}_minor": int(value) for n, value in zip(EFFECTS, changes, strict=True)}
        closing = int(opening) + sum(row.values())
        found.append(
            {"currency": currency, "opening_minor": int(opening), **row, "closing_minor": closing}
        )
    return found


def lines(
    session: Session, wanted: Wanted, limit: int, after: Sequence[Any] | None = None
) -> list[Row]:
    """The entries of the month that changed what is owed, in the order in which they happened."""
    entry = LedgerEntry
    query = (
        select(entry, Reward.invoice_id)
        .join(Reward, Reward.id == entry.reward_id)
        .where(
            entry.partner_id == wanted.partner_id,
            entry.effect.is_not(None),
            entry.happened_at >= wanted.from_at,
            entry.happened_at < wanted.before_at,
        )
        .order_by(entry.happened_at, entry.id)
        .limit(limit)
    )
    if wanted.as_of is not None:
        query = query.where(entry.posted_at <= wanted.as_of)
    if wanted.currency is not None:
        query = query.where(entry.currency == wanted.currency)
    if after is not None:
        at, key = parse_instant(after[0]), after[1]
        query = query.where(tuple_(entry.happened_at, entry.id) > (at, key))
    return [_line(one, invoice_id) for one, invoice_id in session.execute(query)]


def _line(entry: LedgerEntry, invoice_id: str) -> Row:
    return {
        "entry_id": entry.id,
        "happened_at": entry.happened_at,
        "posted_at": entry.posted_at,
        "effect": entry.effect,
        "amount_minor": entry.owed_minor,
        "currency": entry.currency,
        "reward_id": entry.reward_id,
        "chargebee_invoice_id": invoice_id,
        "reason": entry.reason,
        "actor": entry.actor,
    }


def _of_roll_up(wanted: Wanted) -> Any:
    """(currency, what was owed before the month, its five effects, entries) of whole months."""
    row = RewardMonth
    owed = sum((getattr(row, name) for name in months.EFFECTS[1:]), row.earned_minor)
    within = row.month_on == wanted.month_on
    query = select(
        row.currency.label("currency"),
        case((within, 0), else_=owed).label("opening"),
        *(case((within, getattr(row, f"{name}_minor")), else_=0).label(name) for name in EFFECTS),
        row.entries.label("entries"),
    ).where(row.partner_id == wanted.partner_id, row.month_on <= wanted.month_on)
    if wanted.as_of is not None:
        query = query.where(row.known_on < months.month_of(wanted.as_of))
    return query if wanted.currency is None else query.where(row.currency == wanted.currency)


def _of_entries(wanted: Wanted, as_of: datetime) -> Any:
    """The same of entries that were known by then, but not when that month began."""
    entry = LedgerEntry
    within = entry.happened_at >= wanted.from_at
    query = select(
        entry.currency,
        case((within, 0), else_=entry.owed_minor),
        *(
            case((within & (entry.effect == effect), entry.owed_minor), else_=0)
            for effect in EFFECTS
        ),
        literal(1),
    ).where(
        entry.partner_id == wanted.partner_id,
        entry.effect.is_not(None),
        entry.happened_at < wanted.before_at,
        entry.posted_at >= start_of_day(months.month_of(as_of), "UTC"),
        entry.posted_at <= as_of,
    )
    return query if wanted.currency is None else query.where(entry.currency == wanted.currency)


def of_query(partner_id: int, query: Mapping[str, Any]) -> Wanted:
    """What the query parameters of the report ask for."""
    return Wanted(partner_id, query["month"], query.get("as_of"), query.get("currency"))
