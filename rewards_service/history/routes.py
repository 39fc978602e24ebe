"""/api/v1/integrations/{id}/backfill: history is fetched; rewards for it come on command only."""

from typing import Any

from sqlalchemy.orm import Session

from rewards_service.accounts.auth import current_actor
from rewards_service.history import past, queries, service
from rewards_service.history.models import Backfill
from rewards_service.history.preview import MOST_PAYMENTS, Cost, preview
from rewards_service.history.schemas import BackfillSchema, PastRewardsSchema
from rewards_service.kit import bells
from rewards_service.kit.db import db
from rewards_service.kit.queue import BACKFILLS
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("backfills", "The history of connected sites")

READ, WRITE = "integrations:read", "integrations:write"
HERE = "/integrations/<integration_id>/backfill"


@blueprint.operation("POST", HERE, scope=WRITE, answer=BackfillSchema)
def begin_backfill(integration_id: str) -> Any:
    """Fetch the history of a site, or go on with it; one that is under way is only shown."""
    session, key = current_session(), path_key("int", integration_id)
    found = service.begin(session, key, current_actor())
    bells.ring(BACKFILLS)
    return shown(session, found)


@blueprint.operation("GET", HERE, scope=READ, answer=BackfillSchema)
def get_backfill(integration_id: str) -> Any:
    """How far the newest backfill came."""
    session = current_session()
    return shown(session, service.newest(session, path_key("int", integration_id)))


@blueprint.operation("POST", f"{HERE}/pause", scope=WRITE, answer=BackfillSchema)
def pause_backfill(integration_id: str) -> Any:
    """Have it rest where it is, until POST .../backfill."""
    session = current_session()
    found = service.pause(session, path_key("int", integration_id), current_actor())
    return shown(session, found)


@blueprint.operation("GET", f"{HERE}/rewards", scope="rewards:read", answer=PastRewardsSchema)
def preview_past_rewards(integration_id: str) -> Any:
    """What rewards for the payments of the past would cost; nothing is kept."""
    key = path_key("int", integration_id)
    return priced(key, preview(db.engine, key, MOST_PAYMENTS))


@blueprint.operation("POST", f"{HERE}/rewards", scope="rewards:write", answer=BackfillSchema)
def post_past_rewards(integration_id: str) -> Any:
    """Have the payments of the past handled as if they came now, by the rules in force then."""
    session, key = current_session(), path_key("int", integration_id)
    found = service.begin_posting(session, key, current_actor())
    bells.ring(BACKFILLS)
    return shown(session, found)


def shown(session: Session, backfill: Backfill) -> dict[str, Any]:
    """A backfill as the answer's schema takes it; payments are counted once all are known."""
    is_whole = backfill.fetched_at is not None
    unposted = past.count_payments(session, backfill.integration_id) if is_whole else None
    return {**queries.shown(session, backfill), "unposted_payments": unposted}


def priced(integration_id: int, cost: Cost) -> dict[str, Any]:
    """A preview as the answer's schema takes it."""
    return {
        "integration_id": integration_id,
        "payment_count": cost.payments,
        "recorded_count": cost.recorded,
        "quarantined_count": cost.quarantined,
        "totals": [{"currency": c, "amount_minor": amount} for c, amount in cost.totals.items()],
        "partners": [
            {
                "partner_id": partner,
                "currency": currency,
                "reward_count": rewards,
                "amount_minor": amount,
            }
            for (partner, currency), (rewards, amount) in cost.partners.items()
        ],
    }
