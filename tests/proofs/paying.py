"""What people do with rewards, in one line each, by the functions behind the API."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.payouts import making, service
from rewards_service.payouts.models import Payout, PayoutLine
from rewards_service.rewards import review
from rewards_service.rewards.models import LedgerPosting, Reward
from tests.builders.world import World

CUT_OFF = date(2100, 1, 1)
PAID_ON = date(2026, 1, 20)


def approve_all(world: World) -> None:
    """Approve whatever a person may still approve."""
    with transaction(world.engine) as session:
        waiting = Reward.status.in_(("pending", "hold"))
        keys = session.scalars(select(Reward.id).where(waiting).order_by(Reward.id)).all()
        review.change_status(session, keys, "approved", None, "fin")


def make_payouts(world: World, currency: str = "USD") -> making.Made:
    with transaction(world.engine) as session:
        made = making.create(session, making.Wanted(currency, CUT_OFF), "fin")
        session.expunge_all()
        return made


def pay_out(world: World, currency: str = "USD") -> list[int]:
    """Approve everything and pay it; the totals of the payouts."""
    approve_all(world)
    totals = []
    with transaction(world.engine) as session:
        for payout in making.create(session, making.Wanted(currency, CUT_OFF), "fin").payouts:
            service.submit(session, payout.id, "fin")
            service.accept(session, payout.id, "fin")
            service.mark_paid(session, payout.id, PAID_ON, "ref", "fin")
            totals.append(payout.total_minor)
    return totals


def balances(world: World) -> dict[tuple[str, str], int]:
    """(currency, account) -> its balance, debit positive, those that are not 0."""
    found: dict[tuple[str, str], int] = {}
    with Session(world.engine) as session:
        for row in session.scalars(select(LedgerPosting)):
            place = row.currency, row.account
            found[place] = found.get(place, 0) + row.amount_minor
    return {place: amount for place, amount in found.items() if amount}


def lines(world: World) -> list[tuple[str, int]]:
    """(status of the payout, amount) of each payout line, in order."""
    query = select(Payout.status, PayoutLine.amount_minor).join(
        PayoutLine, PayoutLine.payout_id == Payout.id
    )
    with Session(world.engine) as session:
        return [(status, amount) for status, amount in
                session.execute(query.order_by(PayoutLine.id))]  # fmt: skip
