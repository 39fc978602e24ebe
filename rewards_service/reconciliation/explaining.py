"""When all is compared: why what is missing or old here is so, and what would mend it."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.polling import SURELY_KEPT
from rewards_service.inbox.models import DEAD, PENDING
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import options_of
from rewards_service.kit.clock import YEAR_2100, from_epoch
from rewards_service.kit.db import transaction, update_many
from rewards_service.reconciliation import queries
from rewards_service.reconciliation.models import Reconciliation, ReconciliationRow
from rewards_service.reconciliation.reasons import POLL, REASONS

_OF_HISTORY = ("event_missing", "payment_event_missing")
_BY_STATE = {PENDING: "event_pending", DEAD: "event_dead"}


class Circumstances(NamedTuple):
    """What the reasons depend on: whether events have effects, since when any are sent, and now.

    In a sandbox time is the simulator's: there nothing is older than the connection for sure.
    """

    is_live: bool
    connected_at: datetime
    now: datetime
    is_sandbox: bool

    @property
    def past_until(self) -> datetime:
        """Payments until then may be known from an import that was not posted."""
        return from_epoch(YEAR_2100) if self.is_sandbox else self.connected_at


def circumstances(
    engine: Engine, integration_id: int, now: datetime, is_sandbox: bool
) -> Circumstances:
    with Session(queries.reading(engine)) as session:
        integration = session.get_one(Integration, integration_id)
        options = options_of(integration)
        is_live = options.mode == "live" and not options.all_off
        return Circumstances(is_live, integration.created_at, now, is_sandbox)


def explain(engine: Engine, run: Reconciliation, given: Circumstances) -> None:
    """Say of each object that a poll would bring whether an event of it is held up, and where."""
    row = ReconciliationRow
    vague = [name for name, reason in REASONS.items() if reason.repair == POLL]
    with Session(queries.reading(engine), expire_on_commit=False) as session:
        query = select(row).where(row.reconciliation_id == run.id, row.reason.in_(vague))
        rows = session.scalars(query).all()
        if not rows:
            return
        wanted = {(one.section, one.external_id) for one in rows}
        to_blame = queries.blamed(session, run.integration_id, wanted)
    changed = [
        {"id": one.id, **_because(one, to_blame.get((one.section, one.external_id)), given)}
        for one in rows
    ]
    with transaction(engine) as session:
        update_many(session, row, changed)


def _because(
    row: ReconciliationRow, blame: queries.Blamed | None, given: Circumstances
) -> dict[str, Any]:
    if blame is not None:
        return {
            "reason": _BY_STATE.get(blame.state, "event_quarantined"),
            "received_event_id": blame.id,
            "detail": " ".join(part for part in (blame.outcome, blame.error) if part) or None,
        }
    is_old = not given.is_sandbox and row.dated_at < given.connected_at
    reason = row.reason
    if not given.is_live:
        reason = "not_live"
    elif is_old and reason in _OF_HISTORY:
        reason = "before_connection"
    elif (row.changed_at or row.dated_at) < given.now - SURELY_KEPT:
        reason = "too_old"
    return {"reason": reason, "received_event_id": None, "detail": row.detail}
