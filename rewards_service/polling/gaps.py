"""The gap report: event by event, what only the event log brought, or the webhook too late."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.gaps import GRACE, is_followed, webhook_silence
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import utc_now

PERIODS = {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d"}
LISTED = 100


class Gap(NamedTuple):
    """An event that a reading of the log brought first; `webhook_at`: the webhook came later."""

    key: int
    event_id: str
    event_type: str
    occurred_at: datetime | None
    received_at: datetime
    webhook_at: datetime | None

    def verdict(self, now: datetime) -> str:
        """`late`, `missed`, or `expected` while the webhook may still come."""
        if self.webhook_at is not None:
            return "late"
        return "missed" if now - self.received_at > GRACE else "expected"


def gap_report(
    session: Session,
    integration: Integration,
    from_at: datetime,
    to_at: datetime | None = None,
    by: str = "day",
) -> dict[str, Any]:
    """What the log brought first of the events that occurred from `from_at` on, before `to_at`.

    `totals` and `periods` (UTC, by "hour" or "day"; those without any are left out) count `missed`,
    `late` and `expected`; `events` lists the newest missed ones, up to 100.
    """
    now = utc_now()
    totals = _nothing()
    periods: dict[str, dict[str, int]] = defaultdict(_nothing)
    missed: list[Gap] = []
    for gap in _gaps(session, integration.id, from_at, to_at):
        verdict = gap.verdict(now)
        totals[verdict] += 1
        periods[(gap.occurred_at or gap.received_at).strftime(PERIODS[by])][verdict] += 1
        if verdict == "missed":
            missed = [*missed[-(LISTED - 1) :], gap]
    return {
        "integration_id": integration.id,
        "from": from_at,
        "to": to_at,
        "webhook": webhook_silence(session, [integration.id])[integration.id],
        "totals": totals,
        "periods": [{"period": name, **periods[name]} for name in sorted(periods)],
        "events": [{**gap._asdict(), "id": gap.key} for gap in reversed(missed)],
    }


def _nothing() -> dict[str, int]:
    return {"missed": 0, "late": 0, "expected": 0}


def _gaps(
    session: Session, integration_id: int, from_at: datetime, to_at: datetime | None
) -> Iterator[Gap]:
    event = ReceivedEvent
    at = func.coalesce(event.occurred_at, event.received_at)
    query = (
        select(
            event.id, event.event_id, event.event_type, event.occurred_at, event.received_at,
            event.webhook_at,
        )
        .where(is_followed(), event.integration_id == integration_id, at >= from_at)
        .order_by(event.received_at, event.id)
        .execution_options(yield_per=1_000)
    )  # fmt: skip
    for row in session.execute(query if to_at is None else query.where(at < to_at)):
        yield Gap(*row)
