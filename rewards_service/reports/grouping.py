"""Rewards summed by whatever one wants to see them by (report `rewards`).

What was earned, taken back, adjusted, declined and paid, by ledger entries in the month in which
they happened. By partner, month and currency the month roll-up answers; else the entries do.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, case, func, literal, select, tuple_
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import start_of_day
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from rewards_service.reports.converting import (
    MOST_CURRENCIES,
    Converter,
    Page,
    Row,
    told,
    whole_groups,
)
from rewards_service.rewards import months
from rewards_service.rewards.models import LedgerEntry, Reward, RewardMonth

DIMENSIONS = ("partner", "program", "rule", "month", "currency", "status")
CURRENCY = "currency"
NAMES = {
    "partner": "partner_id", "program": "program_id", "rule": "rule_id", "month": "month",
    CURRENCY: CURRENCY, "status": "status",
}  # fmt: skip
AMOUNTS = ("amount_minor", *months.EFFECTS)
COUNTS = months.COUNTS
MEASURES = (*AMOUNTS, *COUNTS)
_OF_ROLL_UP = {"partner", "month", CURRENCY}
_COLUMN_OF_FILTER: Mapping[str, Any] = {
    "partner_id": LedgerEntry.partner_id, CURRENCY: LedgerEntry.currency,
    "status": Reward.status, "customer_id": Reward.customer_id,
    "chargebee_invoice_id": Reward.invoice_id, "program_id": RewardRule.program_id,
    "rule_id": RewardRule.id,
}  # fmt: skip
FILTERS_OF_REWARDS = ("status", "customer_id", "chargebee_invoice_id", "created_from",
                       "created_before", "program_id", "rule_id")  # fmt: skip


def columns(group_by: Sequence[str]) -> list[str]:
    """The members of a row, in their order."""
    names = [NAMES[name] for name in group_by if name != CURRENCY]
    return [*names, CURRENCY, *MEASURES]


def page(
    session: Session,
    wanted: Mapping[str, Any],
    found: Converter | None,
    limit: int,
    after: Sequence[Any] | None,
) -> Page:
    """A page of groups, in the order of `group_by`, a currency each unless converted.

    wanted: `group_by` (some of DIMENSIONS) and filters: `partner_id`, `currency`, `month_from`,
    `month_before` (days), `status`, `customer_id`, `chargebee_invoice_id`, `created_from`,
    `created_before`, `program_id`, `rule_id`. `amount_minor` is what was earned, reversed and
    adjusted; the five amounts besides sum to the change of what is owed.
    """
    dimensions = _dimensions(wanted["group_by"], found)
    query = _query(session, wanted, dimensions)
    keys = [query.selected_columns[NAMES[name]] for name in dimensions]
    if after is not None and keys:
        query = query.where(tuple_(*(_source(key) for key in keys)) > tuple_(*_values(keys, after)))
    order = [*keys, *([] if CURRENCY in dimensions else [query.selected_columns[CURRENCY]])]
    reach = limit + 1 if found is None else limit + MOST_CURRENCIES
    raw = session.execute(query.order_by(*order).limit(reach)).mappings().all()
    rows = [_whole(dict(row)) for row in raw]
    names = [NAMES[name] for name in dimensions]
    if found is None:
        last = _key(rows[limit - 1], names) if len(rows) > limit else None
        return Page(rows[:limit], last)
    groups, last = whole_groups(rows, lambda row: _key(row, names), limit, len(rows) < reach)
    merged = [row for group in groups for row in found.merge(group, AMOUNTS, COUNTS)]
    return Page(merged, last)


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


def report(
    session: Session, wanted: Mapping[str, Any], found: Converter | None, limit: int,
    after: Sequence[Any] | None,
) -> tuple[Row, list[Any] | None]:  # fmt: skip
    """The answer of the report, and where the next page begins."""
    some = page(session, wanted, found, limit, after)
    return {"group_by": list(wanted["group_by"]), "data": some.rows, **told(found)}, some.last


def _dimensions(group_by: Sequence[str], found: Converter | None) -> list[str]:
    """Sums are never made across currencies: each is a group of its own unless converted."""
    if found is not None:
        return [name for name in group_by if name != CURRENCY]
    return list(group_by) if CURRENCY in group_by else [*group_by, CURRENCY]


def _key(row: Row, names: Sequence[str]) -> list[Any]:
    return [value.isoformat() if isinstance(value := row[name], date) else value for name in names]


def _values(keys: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    return [
        literal(date.fromisoformat(value), Date) if isinstance(key.type, Date) else value
        for key, value in zip(keys, after, strict=True)
    ]


def _source(column: Any) -> Any:
    return column.element if hasattr(column, "element") else column


def _whole(row: Row) -> Row:
    return row | {name: int(row[name] or 0) for name in MEASURES}


def _query(session: Session, wanted: Mapping[str, Any], dimensions: Sequence[str]) -> Any:
    if set(dimensions) <= _OF_ROLL_UP and not wanted.keys() & set(FILTERS_OF_REWARDS):
        return _of_roll_up(wanted, dimensions)
    return _of_entries(session, wanted, dimensions)


def _of_roll_up(wanted: Mapping[str, Any], dimensions: Sequence[str]) -> Any:
    month = RewardMonth
    keys = {"partner": month.partner_id, "month": month.month_on, CURRENCY: month.currency}
    sums = {name: func.sum(getattr(month, name)) for name in (*months.EFFECTS, *COUNTS)}
    # A month in which things were only carried from account to account has nothing to tell.
    query = _grouped(keys, sums, dimensions).having(sums["entries"] > 0)
    query = equals(query, wanted, {"partner_id": month.partner_id, CURRENCY: month.currency})
    if "month_from" in wanted:
        query = query.where(month.month_on >= wanted["month_from"])
    if "month_before" in wanted:
        query = query.where(month.month_on < wanted["month_before"])
    return query


def _of_entries(session: Session, wanted: Mapping[str, Any], dimensions: Sequence[str]) -> Any:
    keys = {
        "partner": LedgerEntry.partner_id, "program": RewardRule.program_id,
        "rule": RewardRule.id, "month": months.month_column(session, LedgerEntry.happened_at),
        CURRENCY: LedgerEntry.currency, "status": Reward.status,
    }  # fmt: skip
    query = _grouped(keys, sums_of_entries(), dimensions).select_from(LedgerEntry)
    return filtered(query, wanted, dimensions)


def sums_of_entries() -> dict[str, Any]:
    """The measures of ledger entries, but `amount_minor`."""
    entry = LedgerEntry
    sums: dict[str, Any] = {
        f"{effect}_minor": func.sum(case((entry.effect == effect, entry.owed_minor), else_=0))
        for effect in ("earned", "reversed", "adjusted", "declined", "paid")
    }
    sums["rewards"] = func.sum(case((entry.opens, 1), else_=0))
    sums["entries"] = func.count()
    return sums


def filtered(query: Any, wanted: Mapping[str, Any], dimensions: Sequence[str] = ()) -> Any:
    """Only entries that had an effect and are wanted; joined with what filters and groups need."""
    entry = LedgerEntry
    query = query.where(entry.effect.is_not(None))
    rules = {"program", "rule"} & set(dimensions) or {"program_id", "rule_id"} & wanted.keys()
    if rules or "status" in dimensions or wanted.keys() & set(FILTERS_OF_REWARDS):
        query = query.join(Reward, Reward.id == entry.reward_id)
    if rules:
        query = query.join(RewardRuleVersion, RewardRuleVersion.id == Reward.rule_version_id)
        query = query.join(RewardRule, RewardRule.id == RewardRuleVersion.rule_id)
    if "chargebee_invoice_id" in wanted:  # the index begins with the invoice
        query = query.where(Reward.integration_id.in_(select(Integration.id)))
    if "month_from" in wanted:
        query = query.where(entry.happened_at >= start_of_day(wanted["month_from"], "UTC"))
    if "month_before" in wanted:
        query = query.where(entry.happened_at < start_of_day(wanted["month_before"], "UTC"))
    if "created_from" in wanted:
        query = query.where(Reward.created_at >= wanted["created_from"])
    if "created_before" in wanted:
        query = query.where(Reward.created_at < wanted["created_before"])
    return equals(query, wanted, _COLUMN_OF_FILTER)


def equals(query: Any, wanted: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
    """Only rows whose columns have the values that are wanted of them."""
    for name, column in columns.items():
        if name in wanted:
            query = query.where(column == wanted[name])
    return query


def _grouped(keys: Mapping[str, Any], sums: Mapping[str, Any], dimensions: Sequence[str]) -> Any:
    grouped = [*dimensions, *([] if CURRENCY in dimensions else [CURRENCY])]
    amount = sums["earned_minor"] + sums["reversed_minor"] + sums["adjusted_minor"]
    return select(
        *(keys[name].label(NAMES[name]) for name in grouped),
        amount.label("amount_minor"),
        *(column.label(name) for name, column in sums.items()),
    ).group_by(*(keys[name] for name in grouped))
