"""What is thrown away by itself, when its time is over."""

from sqlalchemy.orm import Session

from rewards_service.kit import repeats
from rewards_service.kit.db import READ_ONLY, db, transaction


def has_due(session: Session) -> bool:
    """Whether there is something to throw away."""
    return repeats.has_expired(session)


def run_due() -> int:
    """Throw away a chunk of what is over; how many rows it were. Safe in several processes."""
    with Session(db.engine.execution_options(**{READ_ONLY: True})) as session:
        if not has_due(session):
            return 0
    with transaction(db.engine) as session:
        return repeats.forget_expired(session)
