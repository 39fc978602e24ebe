"""Payouts and what they are made of, read from the database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, fetch_rows, is_postgresql
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import is_foreign
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.models import Partner
from rewards_service.payouts.models import (
    Payout,
    PayoutExport,
    PayoutExportMember,
    PayoutInvoice,
    PayoutLine,
)
from rewards_service.payouts.statement import Due
from rewards_service.rewards.models import LedgerEntry, Reward

FILTERS = ("partner_id", "status", "currency")


def lock_dues(
    session: Session, currency: str, partner_ids: Collection[int] | None
) -> dict[int, list[Due]]:
    """Partner -> approved rewards of a currency that are in no payout, locked until commit.

    partner_ids None: of all partners. Rewards whose entries sum to 0 are left alone: they stay
    open for what may still come of them.
    """
    taken = exists().where(PayoutLine.reward_id == Reward.id, PayoutLine.active)
    query = (
        select(Reward.id, Reward.partner_id, Reward.available_on)
        .where(Reward.status == "approved", Reward.currency == currency, ~taken)
        .order_by(Reward.id)
    )
    if partner_ids is not None:
        query = query.where(among(session, Reward.partner_id, sorted(partner_ids)))
    if is_postgresql(session):
        query = query.with_for_update(of=Reward)
    rows = fetch_rows(session, query)
    amounts = entry_sums(session, [row.id for row in rows])
    found: dict[int, list[Due]] = defaultdict(list)
    for row in rows:
        if amounts.get(row.id):
            due = Due(row.id, amounts[row.id], _day(row.available_on))
            found[row.partner_id].append(due)
    return found


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def entry_sums(session: Session, reward_ids: Collection[int]) -> dict[int, int]:
    """Reward -> the sum of all its ledger entries, those posted by people too."""
    found: dict[int, int] = {}
    for some in chunks(sorted(reward_ids)):
        query = (
            select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor))
            .where(among(session, LedgerEntry.reward_id, some))
            .group_by(LedgerEntry.reward_id)
        )
        found.update({key: int(total) for key, total in fetch_rows(session, query)})
    return found


def amount_entries(session: Session, reward_ids: Collection[int]) -> dict[int, list[list[int]]]:
    """Reward -> [[entry, minor units]] in their order; those that only move what is owed are out.

    They change with the status, while these may not change any more once a payout is made.
    """
    found: dict[int, list[list[int]]] = defaultdict(list)
    for some in chunks(sorted(reward_ids)):
        query = (
            select(LedgerEntry.reward_id, LedgerEntry.id, LedgerEntry.amount_minor)
            .where(among(session, LedgerEntry.reward_id, some), LedgerEntry.amount_minor != 0)
            .order_by(LedgerEntry.reward_id, LedgerEntry.id)
        )
        for reward_id, entry_id, amount in fetch_rows(session, query):
            found[reward_id].append([entry_id, amount])
    return found


def payout_currencies(session: Session, partner_ids: Sequence[int]) -> dict[int, str | None]:
    """Partner -> the currency in which they want to be paid; None: in that of their rewards."""
    found: dict[int, str | None] = {}
    for some in chunks(partner_ids):
        query = select(Partner.id, Partner.payout_currency).where(Partner.id.in_(some))
        found.update({row.id: row.payout_currency for row in session.execute(query)})
    return found


def currencies_due(session: Session) -> list[str]:
    """Currencies in which any reward is approved."""
    query = select(Reward.currency).where(Reward.status == "approved").distinct()
    return sorted(session.scalars(query))


def get_payout(
    session: Session, payout_id: int, lock: bool = False, own: int | None = None
) -> Payout:
    """Raises NotFound; with `own` also for one of another partner."""
    found = session.get(
        Payout, payout_id, with_for_update=lock and is_postgresql(session), populate_existing=lock
    )
    if found is None or is_foreign(found.partner_id, own):
        raise NotFound("There is no such payout.")
    return found


def list_payouts(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None = None
) -> Page:
    """A page of payouts. wanted: any of FILTERS. own: of this partner alone."""
    query = select(Payout)
    if own is not None:
        query = query.where(Payout.partner_id == own)
    for name in FILTERS:
        if name in wanted:
            query = query.where(getattr(Payout, name) == wanted[name])
    return fetch(session, query, Payout.id, paging)


def get_payouts(session: Session, payout_ids: Collection[int]) -> list[Payout]:
    """Payouts in the order of their keys. Raises NotFound when one does not exist."""
    found: list[Payout] = []
    for some in chunks(sorted(set(payout_ids))):
        found += session.scalars(select(Payout).where(Payout.id.in_(some)).order_by(Payout.id))
    if len(found) != len(set(payout_ids)):
        raise NotFound("There is no such payout among the ids given.")
    return found


def list_lines(session: Session, payout_id: int, paging: Paging) -> Page:
    """A page of a payout's lines."""
    query = select(PayoutLine).where(PayoutLine.payout_id == payout_id)
    return fetch(session, query, PayoutLine.id, paging)


def invoices_of(session: Session, reward_ids: Collection[int]) -> dict[int, str]:
    """Reward -> the Chargebee invoice that it was earned on."""
    found: dict[int, str] = {}
    for some in chunks(sorted(reward_ids)):
        query = select(Reward.id, Reward.invoice_id).where(Reward.id.in_(some))
        found.update({row.id: row.invoice_id for row in session.execute(query)})
    return found


def lines_of(session: Session, payout_id: int) -> list[PayoutLine]:
    """All lines of a payout in their order."""
    query = select(PayoutLine).where(PayoutLine.payout_id == payout_id).order_by(PayoutLine.id)
    return list(session.scalars(query))


class Quoted(NamedTuple):
    """Lines of one payout that were converted at the same rate."""

    amount_minor: int
    rate: str
    rate_on: date | None
    rate_source: str | None


def quotes_of(session: Session, payout_ids: Sequence[int]) -> dict[int, list[Quoted]]:
    """Payout -> its converted lines summed by rate, the oldest rate first."""
    line = PayoutLine
    by = (line.payout_id, line.rate_on, line.rate, line.rate_source)
    query = (
        select(*by, func.sum(line.amount_minor))
        .where(line.payout_id.in_(payout_ids), line.rate.is_not(None))
        .group_by(*by)
        .order_by(*by)
    )
    found: dict[int, list[Quoted]] = defaultdict(list)
    for payout_id, on, rate, source, amount in session.execute(query):
        found[payout_id].append(Quoted(int(amount), str(rate), on, source))
    return found


def exports_of(session: Session, payout_ids: Sequence[int]) -> dict[int, list[PayoutExport]]:
    """Payout -> files that it is in, in the order in which they were made."""
    query = (
        select(PayoutExportMember.payout_id, PayoutExport)
        .join(PayoutExport, PayoutExport.id == PayoutExportMember.export_id)
        .where(PayoutExportMember.payout_id.in_(payout_ids))
        .order_by(PayoutExport.id)
    )
    found: dict[int, list[PayoutExport]] = defaultdict(list)
    for payout_id, export in session.execute(query):
        found[payout_id].append(export)
    return found


def newest_invoice(session: Session, payout_id: int) -> PayoutInvoice | None:
    """The invoice that counts, its document not loaded."""
    query = select(PayoutInvoice).where(PayoutInvoice.payout_id == payout_id)
    return session.scalars(query.order_by(PayoutInvoice.id.desc()).limit(1)).first()


def balances(session: Session, partner_id: int, today: date) -> list[dict[str, Any]]:
    """What stands to a partner's credit, by currency, minor units; currencies are never mixed.

    `pending_minor` awaits review, `approved_minor` is approved, `available_minor` is what a payout
    with the cut-off `today` would come to (below 0: carried), `owed_back_minor` what the partner
    owes for rewards that were taken back after they were paid (DOMAIN V4).
    """
    amounts = (
        select(
            Reward.currency, Reward.status, Reward.available_on,
            func.sum(LedgerEntry.amount_minor).label("amount"),
        )
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(Reward.partner_id == partner_id)
        .group_by(Reward.id, Reward.currency, Reward.status, Reward.available_on)
        .subquery()
    )  # fmt: skip
    row = amounts.c
    approved, owed = row.status == "approved", row.amount < 0
    sums = {
        "pending_minor": (row.status.in_(("pending", "hold")), row.amount),
        "approved_minor": (approved & ~owed, row.amount),
        "available_minor": (approved & (owed | (row.available_on <= today)), row.amount),
        "in_payout_minor": (row.status == "in_payout", row.amount),
        "paid_minor": (row.status == "paid", row.amount),
        "owed_back_minor": (approved & owed, -row.amount),
    }
    columns = [
        func.coalesce(func.sum(case(case_, else_=0)), 0).label(name) for name, case_ in sums.items()
    ]
    query = select(row.currency, *columns).group_by(row.currency).order_by(row.currency)
    return [
        {"currency": found[0], **_whole(zip(sums, found[1:], strict=True))}
        for found in session.execute(query)
    ]


def _whole(pairs: Iterable[tuple[str, Any]]) -> dict[str, int]:
    return {name: int(value) for name, value in pairs}
