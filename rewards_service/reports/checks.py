"""Money and state invariants over the whole database: what `rewards check` looks at."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.reports import (
    audit_checks,
    crm_checks,
    event_checks,
    ledger_checks,
    mirror_checks,
    month_checks,
    payment_checks,
    payout_checks,
    recalculation,
    reward_checks,
)
from rewards_service.reports.findings import Check, Invariant, look

INVARIANTS: Mapping[str, Invariant] = {
    invariant.id: invariant
    for room in (
        event_checks, crm_checks, mirror_checks, payment_checks, reward_checks, ledger_checks,
        month_checks, payout_checks, recalculation, audit_checks,
    )
    for invariant in room.INVARIANTS
}  # fmt: skip


def run_checks(session: Session) -> list[Check]:
    """Look at every invariant; reads only, page by page. On PostgreSQL give it one snapshot."""
    return [look(session, invariant) for invariant in INVARIANTS.values()]


def as_json(checks: list[Check]) -> dict[str, Any]:
    """`{"ok", "checks": [{"id", "title", "ok", "count", "violations": [{"id", "detail"}]}]}`."""
    return {
        "ok": all(check.ok for check in checks),
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "ok": check.ok,
                "count": check.count,
                "violations": check.violations,
            }
            for check in checks
        ],
    }
