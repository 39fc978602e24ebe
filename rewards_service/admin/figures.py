"""Figures of the overview: each is counted in the database, now. Sums are per currency."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import AttributionConflict
from rewards_service.integrations import gaps
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.metrics import Backlog
from rewards_service.kit.queue import connect, living_workers
from rewards_service.payouts.models import RATE_MISSING, Payout
from rewards_service.reports import leaders, liability, periods
from rewards_service.reports.backlog import read_backlog
from rewards_service.reports.converting import Row
from rewards_service.reports.fields import Span
from rewards_service.rewards.models import Reward
from rewards_service.settings import Settings

# Status -> where the report of liabilities has what stands for it.
WAITING = {"pending": "pending_minor", "approved": "approved_minor", "hold": "held_minor"}
MOST_SUMMED = 10_000
LEADERS = 5
OLD_SECONDS = 300  # an event that waits longer than this is worth a look


class Card(NamedTuple):
    """One figure: how many, and how much in each currency (minor units; None: not summed)."""

    number: int
    sums: tuple[tuple[str, int], ...] | None


class Attention(NamedTuple):
    """Something a person should look at; `level` is danger, warning or info."""

    level: str
    title: str
    detail: str
    endpoint: str | None  # where to look, when that page is there


def waiting_rewards(session: Session) -> dict[str, Card]:
    """Status -> rewards that wait in it: to review, approved and not yet paid, on hold.

    Numbers are counted in the index by status, amounts are those of the report of liabilities: from
    the month roll-up. What is on hold is summed reward by reward there; where so many are that this
    would take its time, it has no sums, and stands with what is to be reviewed.
    """
    rows = session.execute(
        select(Reward.status, func.count(Reward.id))
        .where(Reward.status.in_(WAITING))
        .group_by(Reward.status)
    )
    numbers = dict.fromkeys(WAITING, 0) | {status: int(number) for status, number in rows}
    is_summed = numbers["hold"] <= MOST_SUMMED
    held = liability.held_amounts(session, {}) if is_summed else {}
    totals = liability.totals(session, {}, None, held)
    found = {}
    for status, column in WAITING.items():
        sums = tuple((row["currency"], row[column]) for row in totals if row[column])
        found[status] = Card(numbers[status], sums)
    if not is_summed:
        found["hold"] = Card(numbers["hold"], None)
    return found


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


def top_partners(session: Session, months: int) -> dict[str, list[Row]]:
    """Currency -> the first partners of the last so many months, the present one included.

    By what they earned less what was taken back: rows of the report of leaders.
    """
    present = month_begins()
    span = Span(periods.after_month(present, 1 - months), periods.after_month(present))
    found: dict[str, list[Row]] = defaultdict(list)
    for row in leaders.rows(session, {"metric": "net", "period": span, "limit": LEADERS}, None):
        found[row["currency"]].append(row)
    return found


def attention(session: Session, settings: Settings) -> list[Attention]:
    """What a person should look at, the worst first."""
    backlog = read_backlog(session)
    found = [
        *_events(backlog), *_sites(session), *_decisions(session), *_endpoints(backlog),
        *_workers(settings),
    ]  # fmt: skip
    order = ("danger", "warning", "info")
    return sorted(found, key=lambda item: order.index(item.level))


def _events(backlog: Backlog) -> list[Attention]:
    found, place = [], "events_pages.list_events"
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
            "Without the exchange rate of the day they cannot be converted. Enter it.",
            "settings_pages.list_rates",
        ))  # fmt: skip
    return found


def _endpoints(backlog: Backlog) -> list[Attention]:
    found, place = [], "webhooks_pages.list_endpoints"
    if backlog.outbound_disabled:
        found.append(Attention(
            "danger", _count(backlog.outbound_disabled, "webhook of yours was switched off",
                             "webhooks of yours were switched off"),
            "It took nothing for days, or said that it is gone: it is told nothing any more.",
            place,
        ))  # fmt: skip
    if backlog.outbound_failing:
        found.append(Attention(
            "warning", _count(backlog.outbound_failing, "webhook of yours fails",
                              "webhooks of yours fail"),
            "What happens here is tried again, but not taken there.", place,
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
