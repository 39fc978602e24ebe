"""Figures of the overview: each is counted in the database, now. Sums are per currency."""

from datetime import date
from typing import Any, NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import AttributionConflict
from rewards_service.integrations import gaps
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.queue import connect, living_workers
from rewards_service.payouts.models import RATE_MISSING, Payout
from rewards_service.reports.backlog import read_backlog
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.settings import Settings

WAITING = ("pending", "approved", "hold")
OLD_SECONDS = 300  # an event that waits longer than this is worth a look


class Card(NamedTuple):
    """One figure: how many, and how much in each currency (minor units)."""

    number: int
    sums: tuple[tuple[str, int], ...]


class Attention(NamedTuple):
    """Something a person should look at; `level` is danger, warning or info."""

    level: str
    title: str
    detail: str
    endpoint: str | None  # where to look, when that page is there


def waiting_rewards(session: Session) -> dict[str, Card]:
    """Status -> rewards that wait in it: to review, approved and not yet paid, on hold."""
    amounts = (
        select(
            Reward.status, Reward.currency, func.count(Reward.id.distinct()),
            func.coalesce(func.sum(LedgerEntry.amount_minor), 0),
        )
        .outerjoin(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(Reward.status.in_(WAITING))
        .group_by(Reward.status, Reward.currency)
    )  # fmt: skip
    found: dict[str, list[Any]] = {status: [] for status in WAITING}
    for status, currency, count, amount in session.execute(amounts):
        found[status].append((currency, int(count), int(amount)))
    return {status: _card(rows) for status, rows in found.items()}


def paid_since(session: Session, since_on: date) -> Card:
    """Payouts paid since a day."""
    rows = session.execute(
        select(Payout.currency, func.count(), func.sum(Payout.total_minor))
        .where(Payout.status == "paid", Payout.paid_on >= since_on)
        .group_by(Payout.currency)
    )
    return _card([(currency, int(count), int(amount)) for currency, count, amount in rows])


def _card(rows: list[tuple[str, int, int]]) -> Card:
    sums = tuple(sorted((currency, amount) for currency, _, amount in rows))
    return Card(sum(count for _, count, _ in rows), sums)


def attention(session: Session, settings: Settings) -> list[Attention]:
    """What a person should look at, the worst first."""
    found = [*_events(session), *_sites(session), *_decisions(session), *_workers(settings)]
    order = ("danger", "warning", "info")
    return sorted(found, key=lambda item: order.index(item.level))


def _events(session: Session) -> list[Attention]:
    backlog, place = read_backlog(session), "events_pages.list_events"
    found = []
    if backlog.dead:
        found.append(Attention(
            "danger", _count(backlog.dead, "event failed", "events failed"),
            "Every attempt to handle them failed: see why, then replay them.", place,
        ))  # fmt: skip
    if backlog.quarantined:
        found.append(Attention(
            "warning", _count(backlog.quarantined, "event is set aside",
                              "events are set aside"),
            "Their contents contradict themselves or what is known. Nothing follows from them.",
            place,
        ))  # fmt: skip
    if backlog.oldest_pending_seconds > OLD_SECONDS:
        found.append(Attention(
            "warning", _count(backlog.pending_events, "event waits", "events wait"),
            f"The oldest for {int(backlog.oldest_pending_seconds // 60)} minutes.", place,
        ))  # fmt: skip
    return found


def _sites(session: Session) -> list[Attention]:
    sites = session.execute(
        select(Integration.id, Integration.name).where(Integration.deleted_at.is_(None)).limit(50)
    ).all()
    silence = gaps.webhook_silence(session, [site.id for site in sites])
    place = "integrations_pages.list_integrations"
    found = [
        Attention(
            "danger", f"The webhook of {site.name} is silent",
            "Chargebee has events that it did not bring; they were read from its log instead.",
            place,
        )
        for site in sites if silence[site.id]["silent_since"] is not None
    ]  # fmt: skip
    if failing := gaps.failing_polls(session):
        found.append(Attention(
            "warning", _count(failing, "site cannot be read", "sites cannot be read"),
            "The last reading of Chargebee's event log failed.", place,
        ))  # fmt: skip
    return found


def _decisions(session: Session) -> list[Attention]:
    query = select(func.count()).select_from(AttributionConflict)
    conflicts = session.scalars(query.where(AttributionConflict.resolved_at.is_(None))).one()
    waits = select(func.count()).where(Payout.status == "draft", Payout.problem == RATE_MISSING)
    rates = session.scalars(waits).one()
    found = []
    if conflicts:
        found.append(Attention(
            "warning", _count(conflicts, "conflict is open", "conflicts are open"),
            "It is not clear whose a customer is. A person decides.",
            "unmatched_pages.list_unmatched",
        ))  # fmt: skip
    if rates:
        found.append(Attention(
            "warning", _count(rates, "payout lacks a rate", "payouts lack a rate"),
            "Without the exchange rate of the day they cannot be converted.",
            "payouts_pages.list_payouts",
        ))  # fmt: skip
    return found


def _workers(settings: Settings) -> list[Attention]:
    try:
        with connect(settings.redis_url) as connection:
            if living_workers(connection):
                return []
        title, detail = "No worker runs", "Events are kept, but nothing is handled until one does."
    except RedisError:
        title, detail = "The queue does not answer", "Everything still happens, only later."
    return [Attention("danger", title, detail, "queue_pages.show_queue")]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def month_begins() -> date:
    return utc_now().date().replace(day=1)
