"""The housekeeping doorbell: what is over is forgotten, and nightly what was kept long enough."""

from sqlalchemy.orm import Session

from rewards_service.kit import housekeeping
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.web import current_settings
from rewards_service.retention import purging


def has_due(session: Session) -> bool:
    """Whether there is something to throw away."""
    return purging.is_due(session, utc_now()) or housekeeping.has_due(session)


def run_due() -> int:
    """Throw it away; how many rows it were. Safe in several processes."""
    with Session(db.engine.execution_options(**{READ_ONLY: True})) as session:
        is_due = purging.is_due(session, utc_now())
    done = housekeeping.run_due()
    if is_due:
        found = purging.purge(db.engine, current_settings().retain_bodies_days, utc_now())
        done += found.bodies + found.sessions
    return done
