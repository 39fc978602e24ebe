"""How many of the leads and deals registered in a period became customers, and paid."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from rewards_service.crm.models import Deal, Lead
from rewards_service.kit.refusals import invalid_member
from rewards_service.reports.converting import Page, Row
from rewards_service.transactions.models import Transaction

LEAD, DEAL = "lead", "deal"
KINDS = (LEAD, DEAL)
MEASURES = (
    "registered", "converted", "paid", "conversion_rate", "payment_rate",
    "median_days_to_conversion", "median_days_to_payment",
)  # fmt: skip
COLUMNS = ("partner_id", *MEASURES)
_SECOND, _SECONDS_OF_DAY = timedelta(seconds=1), 86_400
_PLACES = Decimal("0.0001")
_DAYS = Decimal("0.01")


class _Way(NamedTuple):
    """One lead or deal: when it was registered, converted, and first paid for."""

    registered_at: datetime
    converted_at: datetime | None
    paid_at: datetime | None


def report(
    session: Session, wanted: Mapping[str, Any], limit: int, after: Sequence[Any] | None
) -> tuple[Row, list[Any] | None]:
    """The answer of the report: `total` over all partners, `data` by partner, page by page.

    wanted: `registered_from`, `registered_before` (times), `kind` (lead, deal) and `partner_id`, if
    given. Rates are decimal strings of four places, of what was registered; None of nothing.
    Raises Unprocessable for a period that ends before it begins.
    """
    if wanted.get("registered_from", datetime.min.replace(tzinfo=UTC)) >= wanted.get(
        "registered_before", datetime.max.replace(tzinfo=UTC)
    ):
        raise invalid_member("registered_at[lt]", "Must be later than registered_at[gte].")
    some = page(session, wanted, limit, after)
    answer = {
        "from": wanted.get("registered_from"),
        "before": wanted.get("registered_before"),
        "kind": wanted.get("kind"),
        "total": _measured(way for _, way in _ways(session, wanted, None)),
        "data": some.rows,
    }
    return answer, some.last


def page(
    session: Session, wanted: Mapping[str, Any], limit: int, after: Sequence[Any] | None
) -> Page:
    """A row for each partner of whom anything was registered; null: of nobody, and first."""
    registered = _registered(wanted).subquery()
    key = func.coalesce(registered.c.partner_id, 0)
    query = select(key).group_by(key).order_by(key).limit(limit + 1)
    if after is not None:
        query = query.where(key > after[0])
    keys = list(session.scalars(query))
    shown = keys[:limit]
    ways: dict[int, list[_Way]] = defaultdict(list)
    for partner_id, way in _ways(session, wanted, shown):
        ways[partner_id].append(way)
    rows = [{"partner_id": key or None, **_measured(ways[key])} for key in shown]
    return Page(rows, [shown[-1]] if len(keys) > limit else None)


def _registered(wanted: Mapping[str, Any]) -> Any:
    """(partner, registered, converted, customer) of every lead and deal that is asked for."""
    kinds: Mapping[str, tuple[Any, Any]] = {
        LEAD: (Lead, Lead.converted_at),
        DEAL: (Deal, Deal.associated_at),
    }
    parts: list[Any] = []
    for kind in [wanted["kind"]] if "kind" in wanted else KINDS:
        model, converted_at = kinds[kind]
        part: Any = select(
            model.partner_id.label("partner_id"), model.registered_at.label("registered_at"),
            converted_at.label("converted_at"), model.customer_id.label("customer_id"),
        )  # fmt: skip
        if "registered_from" in wanted:
            part = part.where(model.registered_at >= wanted["registered_from"])
        if "registered_before" in wanted:
            part = part.where(model.registered_at < wanted["registered_before"])
        if "partner_id" in wanted:
            part = part.where(model.partner_id == wanted["partner_id"])
        parts.append(part)
    return union_all(*parts)


def _ways(
    session: Session, wanted: Mapping[str, Any], partner_ids: Sequence[int] | None
) -> Iterator[tuple[int, _Way]]:
    """(partner or 0, way); of the customer's payments the first since the registration counts."""
    row = _registered(wanted).subquery().c
    first = (
        select(func.min(Transaction.occurred_at))
        .where(
            Transaction.customer_id == row.customer_id,
            Transaction.withdrawn_at.is_(None),
            Transaction.occurred_at >= row.registered_at,
        )
        .scalar_subquery()
    )
    key = func.coalesce(row.partner_id, 0)
    query = select(key, row.registered_at, row.converted_at, first)
    if partner_ids is not None:
        query = query.where(key.in_(partner_ids))
    for partner_id, *times in session.execute(query, execution_options={"yield_per": 5_000}):
        yield partner_id, _Way(*times)


def _measured(ways: Iterable[_Way]) -> Row:
    """The numbers of some leads and deals."""
    registered, won, paid = 0, [], []
    for way in ways:
        registered += 1
        if way.converted_at is not None:
            won.append((way.converted_at - way.registered_at) // _SECOND)
        if way.paid_at is not None:
            paid.append((way.paid_at - way.registered_at) // _SECOND)
    return {
        "registered": registered,
        "converted": len(won),
        "paid": len(paid),
        "conversion_rate": _rate(len(won), registered),
        "payment_rate": _rate(len(paid), registered),
        "median_days_to_conversion": _median_days(won),
        "median_days_to_payment": _median_days(paid),
    }


def _rate(part: int, whole: int) -> str | None:
    return None if whole == 0 else str((Decimal(part) / whole).quantize(_PLACES))


def _median_days(seconds: Sequence[int]) -> str | None:
    """Of an even number the mean of the two in the middle; two decimal places."""
    if not seconds:
        return None
    ordered = sorted(Decimal(value) for value in seconds)
    middle = ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]
    return str((middle / 2 / _SECONDS_OF_DAY).quantize(_DAYS))
