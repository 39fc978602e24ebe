"""The backfills doorbell: go on with whichever backfill is due, for a moment."""

from rewards_service.history.running import go_on, lists_at_once, to_chargebee
from rewards_service.kit.db import db
from rewards_service.kit.web import current_settings

# Events and rewards wait meanwhile where one worker does everything.
BUDGET_SECONDS = 2.0


def drain_backfills() -> int:
    """Returns 1 when there was something to go on with. Safe in many processes at once."""
    settings = current_settings()
    connect_to, at_once = to_chargebee(settings), lists_at_once(settings)
    return int(go_on(db.engine, connect_to, BUDGET_SECONDS, at_once=at_once))
