"""What is thrown away by itself when its time is over, and what is made before its time comes."""

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rewards_service.kit import partitions, partitions_ahead, repeats
from rewards_service.kit.db import READ_ONLY, db, transaction

log = structlog.get_logger()


def has_due(session: Session) -> bool:
    """Whether there is something to throw away or to make."""
    return repeats.has_expired(session) or partitions_ahead.has_due(session)


def run_due() -> int:
    """Throw away a chunk of what is over, make what comes next; how many rows and parts it were.

    Safe in several processes.
    """
    with Session(db.engine.execution_options(**{READ_ONLY: True})) as session:
        expired, wanted = repeats.has_expired(session), partitions_ahead.has_due(session)
    done = 0
    if expired:
        with transaction(db.engine) as session:
            done += repeats.forget_expired(session)
    return done + (_make_partitions() if wanted else 0)


def _make_partitions() -> int:
    try:
        with transaction(db.engine) as session:
            partitions.be_quick(session.connection())
            made = partitions_ahead.make(session.connection())
    except OperationalError as error:
        # Somebody reads for long: three months are left to try it in.
        log.warning("partitions_not_made", error=str(error.orig))
        return 0
    log.info("partitions_made", names=made)
    return len(made)
