"""What every measurement of ours ends with: is each payment there, once, and right to the cent?"""

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards.models import LedgerEntry, Reward, RewardMonth
from rewards_service.transactions.models import RewardDue
from rewards_service.webhooks import jobs as event_jobs

REWARD_MINOR = 900  # 20 % of 45.00
NO_LIMIT = 3_600.0


def settle(engine: Engine) -> None:
    """Work off what is recorded, to the last reward."""
    event_jobs.drain(engine, budget=NO_LIMIT)
    reward_jobs.drain(engine, budget=NO_LIMIT)


def check(engine: Engine, payments: int) -> None:
    """A reward for each of so many payments, on a database that began with none.

    Events = payments = rewards, the ledger and the roll-up sum to the same, nothing is pending.
    Raises SystemExit with the figures otherwise.
    """
    pending = select(func.count(ReceivedEvent.id)).where(ReceivedEvent.state != "done")
    queries = {
        "events": (select(func.count(ReceivedEvent.id)), payments),
        "rewards": (select(func.count(Reward.id)), payments),
        "posted": (select(func.sum(LedgerEntry.amount_minor)), payments * REWARD_MINOR),
        "rolled up": (select(func.sum(RewardMonth.earned_minor)), payments * REWARD_MINOR),
        "not done": (pending, 0),
        "due": (select(func.count()).select_from(RewardDue), 0),
    }
    with Session(engine) as session:
        found = {
            what: (session.scalar(query) or 0, right) for what, (query, right) in queries.items()
        }
    wrong = {what: pair for what, pair in found.items() if pair[0] != pair[1]}
    if wrong:
        raise SystemExit(f"Counted wrong (found, right): {wrong}")
