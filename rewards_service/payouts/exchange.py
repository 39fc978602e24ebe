"""Convert a payout into the currency its partner is paid in, at rates on record only (V7)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from rewards_service.audit.service import record
from rewards_service.kit.db import chunks, fetch_rows
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.payouts.models import (
    NOT_POSITIVE,
    RATE_MISSING,
    ExchangeRate,
    Payout,
    PayoutLine,
)
from rewards_service.payouts.statement import convert, invert_rate, mean_rate
from rewards_service.rewards.models import Reward

# A rate older than this on the cut-off day is none: weekends and holidays fit in, a forgotten
# feed does not.
OLDEST = timedelta(days=7)


class Quote(NamedTuple):
    """The rate of a line, where it comes from, and of which day it is."""

    rate: str
    rate_on: date
    source: str


class Priced(NamedTuple):
    """A payout converted: its total, or why there is none; a quote and a part for each line."""

    total_minor: int | None
    problem: str | None
    quotes: list[Quote | None]
    parts: list[int] | list[None]


def add_rate(session: Session, wanted: Mapping[str, Any], actor: str) -> ExchangeRate:
    """Keep a rate. wanted: `from_currency`, `to_currency`, `rate_on`, `rate`, `source`."""
    rate = ExchangeRate(**wanted, actor=actor)
    session.add(rate)
    session.flush()
    after = {"rate": rate.rate, "rate_on": rate.rate_on.isoformat()}
    pair = {"from_currency": rate.from_currency, "to_currency": rate.to_currency}
    record(session, "exchange_rate.created", ("exchange_rate", rate.id), pair | after, actor)
    return rate


def get_rate(session: Session, rate_id: int) -> ExchangeRate:
    """Raises NotFound."""
    found = session.get(ExchangeRate, rate_id)
    if found is None:
        raise NotFound("There is no such exchange rate.")
    return found


def list_rates(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """A page of rates. wanted: `from_currency`, `to_currency`, if given."""
    query = select(ExchangeRate)
    for name in ("from_currency", "to_currency"):
        if name in wanted:
            query = query.where(getattr(ExchangeRate, name) == wanted[name])
    return fetch(session, query, ExchangeRate.id, paging)


def find_quote(session: Session, from_currency: str, to_currency: str, on: date) -> Quote | None:
    """The newest rate on or before a day, at most seven days old; None when there is none.

    A rate of the opposite direction serves as its exact inverse. Of the same day the direct one
    is taken, and of two equal ones the later recorded.
    """
    kept = ExchangeRate
    direct = and_(kept.from_currency == from_currency, kept.to_currency == to_currency)
    inverse = and_(kept.from_currency == to_currency, kept.to_currency == from_currency)
    query = (
        select(kept)
        .where(or_(direct, inverse), kept.rate_on <= on, kept.rate_on >= on - OLDEST)
        .order_by(kept.rate_on.desc(), (kept.from_currency == from_currency).desc(), kept.id.desc())
        .limit(1)
    )
    found = session.scalars(query).first()
    if found is None:
        return None
    same_way = found.from_currency == from_currency
    return Quote(found.rate if same_way else invert_rate(found.rate), found.rate_on, found.source)


def price(session: Session, payout: Payout, lines: Sequence[tuple[int, int]]) -> Priced:
    """Convert [(reward, minor units)] of a payout at the rate of its cut-off day.

    What is taken back after it was paid goes at the rate it was paid at. Rounded once, half-even.
    """
    if payout.pay_currency == payout.currency:
        parts = [amount for _, amount in lines]
        return Priced(sum(parts), None, [None] * len(lines), parts)
    debts = [reward_id for reward_id, amount in lines if amount < 0]
    original = _original_quotes(session, debts, payout)
    current = find_quote(session, payout.currency, payout.pay_currency, payout.cut_off_on)
    quotes = [original.get(reward_id, current) for reward_id, _ in lines]
    priced = [
        (amount, quote.rate)
        for (_, amount), quote in zip(lines, quotes, strict=True)
        if quote is not None
    ]
    if len(priced) < len(lines):
        return Priced(None, RATE_MISSING, [None] * len(lines), [None] * len(lines))
    conversion = convert(priced, payout.currency, payout.pay_currency)
    if conversion.total_minor <= 0:
        return Priced(None, NOT_POSITIVE, quotes, [None] * len(lines))
    return Priced(conversion.total_minor, None, quotes, conversion.parts)


def _original_quotes(
    session: Session, reward_ids: Collection[int], payout: Payout
) -> dict[int, Quote]:
    """Reward taken back -> the rate at which the same reward was paid into this currency before."""
    earlier: dict[int, list[tuple[int, Quote]]] = defaultdict(list)
    debt, settled = aliased(Reward), aliased(Reward)
    same = and_(
        settled.integration_id == debt.integration_id,
        settled.invoice_id == debt.invoice_id,
        settled.rule_version_id == debt.rule_version_id,
        settled.partner_id == debt.partner_id,
        settled.seq < debt.seq,
    )
    query = (
        select(
            debt.id, PayoutLine.amount_minor, PayoutLine.rate, PayoutLine.rate_on,
            PayoutLine.rate_source,
        )
        .join(settled, same)
        .join(PayoutLine, and_(PayoutLine.reward_id == settled.id, PayoutLine.active))
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .where(
            PayoutLine.rate.is_not(None),
            Payout.pay_currency == payout.pay_currency,
            PayoutLine.payout_id != (payout.id or 0),
        )
        .order_by(debt.id, settled.seq)
    )  # fmt: skip
    for some in chunks(sorted(reward_ids)):
        for key, amount, *quote in fetch_rows(session, query.where(debt.id.in_(some))):
            earlier[key].append((amount, Quote(*quote)))
    return {key: _mean(lines) for key, lines in earlier.items()}


def _mean(lines: Sequence[tuple[int, Quote]]) -> Quote:
    first = lines[0][1]
    rate = mean_rate([(amount, quote.rate) for amount, quote in lines])
    return Quote(rate or first.rate, first.rate_on, first.source)
