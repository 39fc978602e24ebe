"""Comparisons and their differences as plain values, for the API and the command."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import YEAR_2000, YEAR_2100, from_epoch
from rewards_service.reconciliation.models import DONE, Reconciliation, ReconciliationRow
from rewards_service.reconciliation.reasons import EQUAL, REASONS, words

_PLAIN = (
    "id", "integration_id", "state", "repair", "asked_by", "asked_at", "finished_at", "error",
    "counts", "notes", "sums", "repaired",
)  # fmt: skip


def show_runs(session: Session, runs: Collection[Reconciliation]) -> list[dict[str, Any]]:
    """See ReconciliationSchema. A period without a beginning or end has None there."""
    query = select(Integration.id, Integration.site).where(
        Integration.id.in_({run.integration_id for run in runs})
    )
    sites = {row.id: row.site for row in session.execute(query)}
    return [
        {
            **{name: getattr(run, name) for name in _PLAIN},
            "site": sites[run.integration_id],
            "ok": is_ok(run) if run.state == DONE else None,
            "from_at": None if run.from_at == from_epoch(YEAR_2000) else run.from_at,
            "before_at": None if run.before_at == from_epoch(YEAR_2100) else run.before_at,
        }
        for run in runs
    ]


def is_ok(run: Reconciliation) -> bool:
    """Whether a comparison that is done found no difference."""
    return not any(count for state, count in run.counts.items() if state != EQUAL)


def show_row(row: ReconciliationRow, event: str | None = None) -> dict[str, Any]:
    """See DifferenceSchema. event: the public id of the event that is to blame."""
    return {
        "object": row.section, "kind": row.kind, "chargebee_id": row.external_id,
        "dated_at": row.dated_at, "state": row.state, "reason": row.reason,
        "text": words(row.reason, event, row.detail), "repair": REASONS[row.reason].repair,
        "event_id": row.received_event_id, "currency": row.currency,
        "there_minor": row.there_minor, "here_minor": row.here_minor,
        "differences": row.differences,
    }  # fmt: skip
