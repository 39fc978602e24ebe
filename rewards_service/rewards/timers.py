"""What the clock does with rewards: it moves them from status to status, and nothing else (V5).

A hold that a person gave a last day ends when that day is over. Rewards of a programme that
approves by itself are approved on the day they become available. Days are those of the programme.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Select, and_, exists, false, literal_column, or_, select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY, db, hold_stage, transaction
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.rewards.models import Reward
from rewards_service.rewards.review import STAGES, change_status
from rewards_service.transactions.models import RewardDue

ACTOR = "timer"
BATCH = 500  # rewards at a time: others want the stage as well
BUDGET_SECONDS = 10.0
_Ids = Select[int]


def run_due() -> int:
    """Do what is due until nothing is left or ten seconds are over. Safe in many processes."""
    return run(db.engine)


def run(
    engine: Engine,
    now: datetime | None = None,
    batch: int = BATCH,
    budget: float = BUDGET_SECONDS,
) -> int:
    """Move what is due at `now`, batch after batch. Returns how many rewards were moved."""
    moved = 0
    until = time.monotonic() + budget
    while time.monotonic() < until and _is_any_due(engine, now or utc_now()):
        with transaction(engine) as session:
            for stage in STAGES:
                hold_stage(session, stage)
            step = _step(session, now or utc_now(), batch)
        if step == 0:
            break
        moved += step
    return moved


def has_due(session: Session, now: datetime | None = None) -> bool:
    """Whether the clock has anything to do with a reward."""
    queries = (_holds_over(session, now or utc_now()), _to_approve(session, now or utc_now()))
    return any(session.scalar(query.limit(1)) is not None for query in queries)


def _is_any_due(engine: Engine, now: datetime) -> bool:
    """Looked at without SQLite's write lock: mostly there is nothing to do."""
    with Session(engine.execution_options(**{READ_ONLY: True})) as session:
        return has_due(session, now)


def _step(session: Session, now: datetime, batch: int) -> int:
    orders = (
        (_to_approve(session, now), "approved", "available, and the programme approves by itself"),
        (_holds_over(session, now), "pending", "the last day of the hold is over"),
    )
    moved = 0
    for query, to_status, reason in orders:
        keys = session.scalars(query.order_by(Reward.id).limit(batch)).all()
        moved += len(change_status(session, keys, to_status, reason, ACTOR))
    return moved


def _holds_over(session: Session, now: datetime) -> _Ids:
    days = _versions_by_day(session, now, ("manual", "auto"))
    over = (
        and_(Reward.rule_version_id.in_(versions), Reward.hold_until_on < day)
        for day, versions in days.items()
    )
    return select(Reward.id).where(Reward.status == "hold", or_(false(), *over))


def _to_approve(session: Session, now: datetime) -> _Ids:
    """Not those that are to be worked out again first: there may be a reason for a hold."""
    days = _versions_by_day(session, now, ("auto",))
    available = (
        and_(Reward.rule_version_id.in_(versions), Reward.available_on <= day)
        for day, versions in days.items()
    )
    due = exists().where(
        RewardDue.integration_id == Reward.integration_id,
        RewardDue.invoice_id == Reward.invoice_id,
    )
    # As in the index: a parameter would not be recognised.
    pending = Reward.status == literal_column("'pending'")
    return select(Reward.id).where(pending, or_(false(), *available), ~due)


def _versions_by_day(
    session: Session, now: datetime, approvals: Sequence[str]
) -> dict[date, list[int]]:
    """Today's date -> rule versions of the programmes in whose time zone it is that date."""
    query = (
        select(RewardRuleVersion.id, Program.timezone)
        .join(RewardRule, RewardRule.id == RewardRuleVersion.rule_id)
        .join(Program, Program.id == RewardRule.program_id)
        .where(Program.approval.in_(approvals))
    )
    found: dict[date, list[int]] = defaultdict(list)
    for version_id, timezone in session.execute(query):
        found[now.astimezone(ZoneInfo(timezone)).date()].append(version_id)
    return found
