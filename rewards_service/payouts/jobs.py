"""The job that makes drafts when schedules are due."""

import logging

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import READ_ONLY, db, transaction
from rewards_service.payouts import schedules

log = logging.getLogger(__name__)


def drain_payouts() -> int:
    """Run every schedule that is due. Safe in many processes, and twice: a day is run once."""
    return drain(db.engine)


def drain(engine: Engine) -> int:
    """Returns how many schedules were run. One that fails is logged and does not stop the rest.

    Each runs in a transaction of its own; it stays due until it succeeds.
    """
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        due = schedules.due_schedules(session)
    done = 0
    for schedule_id, due_on in due:
        try:
            with transaction(engine) as session:
                made = schedules.run(session, schedule_id, due_on)
                crash_point("payouts.drafted")
            crash_point("payouts.committed")
        except Exception:
            log.exception(
                "Payout schedule %d failed for %s; it is tried again", schedule_id, due_on
            )
            continue
        if made is not None:
            done += 1
            log.info("Payout schedule %d made %d drafts for %s", schedule_id, made, due_on)
    return done
