"""Which partners came first in a period, by what they earned, were paid, or brought."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from rewards_service.crm.models import Deal, Lead
from rewards_service.kit.clock import start_of_day
from rewards_service.partners.models import Partner
from rewards_service.reports.converting import Converter, Row, told
from rewards_service.reports.fields import Span
from rewards_service.rewards.models import RewardMonth

# Metric -> the roll-up's numbers that it sums, and their sign: of paid money what came in.
_MONEY: Mapping[str, tuple[tuple[str, ...], int]] = {
    "net": (("earned_minor", "reversed_minor", "adjusted_minor", "declined_minor"), 1),
    "earned": (("earned_minor",), 1),
    "paid": (("paid_minor",), -1),
}
REWARDS, CONVERSIONS = "rewards", "conversions"
METRICS = (*_MONEY, REWARDS, CONVERSIONS)
COLUMNS = ("rank", "partner_id", "partner_name", "currency", "amount_minor", "count")


def report(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> Row:
    """The answer of the report. wanted: `metric`, `period` (a Span), `limit`; `currency`."""
    span = wanted["period"]
    return {
        "metric": wanted["metric"],
        "from": span.first,
        "before": span.before,
        "data": rows(session, wanted, found),
        **told(found),
    }


def rows(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> list[Row]:
    """The first `limit` partners with more than nothing, in each currency where it is money.

    Who has as much has the same rank, and the next one's rank counts them all (1, 1, 3); among
    them, and at the cut, the partner who was there first comes first.
    """
    metric, limit = wanted["metric"], wanted["limit"]
    if metric in _MONEY:
        some = _money(session, wanted, found)
    else:
        query = _conversions(wanted["period"]) if metric == CONVERSIONS else _rewards(wanted)
        some = [
            {"partner_id": partner, "currency": None, "amount_minor": None, "count": int(number)}
            for partner, number in session.execute(query)
        ]
    name = "amount_minor" if metric in _MONEY else "count"
    some.sort(key=lambda row: (row["currency"] or "", -row[name], row["partner_id"]))
    shown: list[Row] = []
    for _, group in groupby(some, lambda row: row["currency"]):
        shown += _ranked(group, name, limit)
    return _named(session, shown)


def _ranked(group: Iterable[Row], name: str, limit: int) -> list[Row]:
    found: list[Row] = []
    for row in group:
        if len(found) == limit or row[name] <= 0:
            break
        same = found and found[-1][name] == row[name]
        found.append({"rank": found[-1]["rank"] if same else len(found) + 1, **row})
    return found


def _money(session: Session, wanted: Mapping[str, Any], found: Converter | None) -> list[Row]:
    names, sign = _MONEY[wanted["metric"]]
    month = RewardMonth
    amount = func.sum(sum((getattr(month, name) for name in names[1:]), getattr(month, names[0])))
    query = select(month.partner_id, month.currency, amount)
    query = _within(query, wanted).group_by(month.partner_id, month.currency)
    some = [
        {"partner_id": partner, "currency": currency, "amount_minor": sign * int(value),
         "count": None}
        for partner, currency, value in session.execute(query.order_by(month.partner_id))
    ]  # fmt: skip
    if found is None:
        return some
    grouped = groupby(some, lambda row: row["partner_id"])
    return [row for _, group in grouped for row in found.merge(list(group), ["amount_minor"], [])]


def _rewards(wanted: Mapping[str, Any]) -> Any:
    month = RewardMonth
    query = select(month.partner_id, func.sum(month.rewards))
    return _within(query, wanted).group_by(month.partner_id)


def _within(query: Any, wanted: Mapping[str, Any]) -> Any:
    span: Span = wanted["period"]
    if span.first is not None:
        query = query.where(RewardMonth.month_on >= span.first)
    if span.before is not None:
        query = query.where(RewardMonth.month_on < span.before)
    if "currency" in wanted:
        query = query.where(RewardMonth.currency == wanted["currency"])
    return query


def _conversions(span: Span) -> Any:
    """Leads converted and deals associated in the period, by the time of the payment."""
    parts = []
    for partner, at in (
        (Lead.partner_id, Lead.converted_at),
        (Deal.partner_id, Deal.associated_at),
    ):
        part = select(partner.label("partner_id")).where(at.is_not(None), partner.is_not(None))
        if span.first is not None:
            part = part.where(at >= start_of_day(span.first, "UTC"))
        if span.before is not None:
            part = part.where(at < start_of_day(span.before, "UTC"))
        parts.append(part)
    both = union_all(*parts).subquery()
    return select(both.c.partner_id, func.count()).group_by(both.c.partner_id)


def _named(session: Session, rows: list[Row]) -> list[Row]:
    keys = {row["partner_id"] for row in rows}
    query = select(Partner.id, Partner.name).where(Partner.id.in_(keys))
    names = {key: name for key, name in session.execute(query)}  # noqa: C416
    return [{**row, "partner_name": names.get(row["partner_id"])} for row in rows]
