"""The steps of the money machine that people take: rules, partners, review, payouts."""

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import Conflict
from rewards_service.payouts import making, service
from rewards_service.payouts.models import Payout, PayoutLine
from rewards_service.programs import service as programs
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.rewards import adjusting, review
from rewards_service.rewards.models import LedgerPosting, Reward
from tests.builders.chargebee import at
from tests.proofs.machine_base import RATES, Machine, picks
from tests.rewards.facts import Rule

CUT_OFF = date(2100, 1, 1)
MOVES = ["pending", "hold", "approved", "approved", "declined"]


class Decisions(Machine):
    """What is refused must change nothing: the books are looked at after each step."""

    @rule(rate=st.sampled_from(RATES))
    def change_rule(self, rate: int) -> None:
        """From now on another rate: what was posted stays."""
        self.model.place += 1
        since = self.model.place
        count = select(func.count()).where(RewardRuleVersion.rule_id == self.rule)
        with transaction(self.world.engine) as session:
            before = session.scalar(count)
            wanted = {"rate": rate, "effective_from": at(since)}
            programs.change_rule(session, self.rule, wanted, "fin")
            version = session.scalar(count) or 0
        if version != before:
            terms = Rule(rate, None, "net", "half_even")
            self.model.add_version(self.rule, version, since, terms)

    @rule(status=st.sampled_from(["active", "paused"]))
    def change_partner(self, status: str) -> None:
        self.model.place += 1
        self.world.set_status(self.bob, status, at(self.model.place))
        self.model.statuses.setdefault(self.bob, []).append((self.model.place, status))

    # --- review ---

    @precondition(lambda self: self.seen)
    @rule(pick=picks, to_status=st.sampled_from(MOVES))
    def move(self, pick: int, to_status: str) -> None:
        reward = self._one_of(Reward, pick)
        possible = [to for to in review.LAWFUL[reward.status]
                    if (reward.status, to) not in review.OF_PAYOUTS]  # fmt: skip
        with transaction(self.world.engine) as session:
            try:
                order = review.Order(to_status, "so it is", "fin")
                review.decide(session, [reward.id], order, may_write_off=True)
            except Conflict:
                assert to_status not in possible
            else:
                assert to_status in (*possible, reward.status)
        self.waiting |= to_status == "pending"
        self.drain()

    @precondition(lambda self: self.seen)
    @rule()
    def approve_all(self) -> None:
        with transaction(self.world.engine) as session:
            query = select(Reward.id).where(Reward.status == "pending").order_by(Reward.id)
            keys = session.scalars(query).all()
            review.change_status(session, keys, "approved", None, "fin")

    @precondition(lambda self: self.seen)
    @rule(pick=picks, amount=st.sampled_from([-1_000, -1, 1, 250]))
    def adjust(self, pick: int, amount: int) -> None:
        reward = self._one_of(Reward, pick)
        with transaction(self.world.engine) as session:
            adjusting.adjust(session, reward.id, amount, "by agreement", "fin", may_write_off=True)

    # --- payouts ---

    @precondition(lambda self: self.seen)
    @rule(currency=st.sampled_from(["USD", "JPY", "KWD"]))
    def make_payouts(self, currency: str) -> None:
        with transaction(self.world.engine) as session:
            making.create(session, making.Wanted(currency, CUT_OFF), "fin")

    @precondition(lambda self: self.seen)
    @rule()
    def pay_out_everything(self) -> None:
        """A month's end: what is pending is approved, and what is approved is paid."""
        self.approve_all()
        for currency in ("USD", "JPY", "KWD"):
            self.make_payouts(currency)
        with transaction(self.world.engine) as session:
            drafts = select(Payout).where(Payout.status == "draft").order_by(Payout.id)
            for payout in session.scalars(drafts).all():
                service.submit(session, payout.id, "fin")
                service.accept(session, payout.id, "fin")
                service.mark_paid(session, payout.id, utc_now().date(), "ref", "fin")

    @precondition(lambda self: self._one_of(Payout, 0) is not None)
    @rule(pick=picks, way=st.sampled_from(["on", "on", "on", "cancel"]))
    def advance(self, pick: int, way: str) -> None:
        """A payout goes one step on, or is cancelled; one that ended stays as it is."""
        payout = self._one_of(Payout, pick)
        with transaction(self.world.engine) as session:
            try:
                if way == "cancel":
                    service.cancel(session, payout.id, "not yet", "fin")
                elif payout.status == "draft":
                    service.submit(session, payout.id, "fin")
                elif payout.status == "pending":
                    service.accept(session, payout.id, "fin")
                else:
                    service.mark_paid(session, payout.id, utc_now().date(), "ref", "fin")
            except service.PayoutWrongStatus:
                assert payout.status in ("paid", "cancelled")

    def _one_of(self, model: Any, pick: int) -> Any:
        with Session(self.world.engine, expire_on_commit=False) as session:
            rows = session.scalars(select(model).order_by(model.id)).all()
        return rows[pick % len(rows)] if rows else None

    # --- what must hold ---

    def look_closer(self, session: Session) -> None:
        """DOMAIN V4, V6: nothing is paid twice, and what is paid stands on the accounts."""
        query = select(PayoutLine.reward_id, PayoutLine.amount_minor, PayoutLine.active,
                       Payout.id, Payout.status, Payout.partner_id, Payout.currency)  # fmt: skip
        lines = session.execute(query.join(Payout, Payout.id == PayoutLine.payout_id)).all()
        taken = Counter(line.reward_id for line in lines if line.status != "cancelled")
        assert set(taken.values()) <= {1}
        assert all(line.active == (line.status != "cancelled") for line in lines)
        sums: dict[Any, int] = defaultdict(int)
        for line in lines:
            sums[line.id] += line.amount_minor
        payouts = session.scalars(select(Payout)).all()
        assert {payout.id: payout.total_minor for payout in payouts} == dict(sums)
        paid: dict[Any, int] = defaultdict(int)
        for payout in payouts:
            if payout.status == "paid":
                paid[(payout.partner_id, payout.currency)] += payout.total_minor
        assert paid == self._paid_by_the_books(session)

    def _paid_by_the_books(self, session: Session) -> dict[Any, int]:
        by = (LedgerPosting.partner_id, LedgerPosting.currency)
        query = select(*by, func.sum(LedgerPosting.amount_minor)).group_by(*by)
        rows = session.execute(query.where(LedgerPosting.account == "paid"))
        return {(partner, currency): -int(total) for partner, currency, total in rows if total}
