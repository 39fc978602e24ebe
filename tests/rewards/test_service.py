from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from rewards_service.rewards.explaining import render
from rewards_service.rewards.models import LedgerPosting, Reward, RewardStatusChange
from rewards_service.rewards.queries import Posted, posted_sums
from tests.builders import chargebee
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World

EMAIL = "ada@customer.example"
OTHER = "bob@customer.example"


@pytest.fixture
def partner(world: World) -> int:
    """A partner with a lead for EMAIL, under the 20 % rule of the world."""
    key = world.partner()
    world.lead(EMAIL, key)
    return key


def rewards(world: World) -> list[Reward]:
    query = select(Reward).options(undefer(Reward.explanation)).order_by(Reward.id)
    with Session(world.engine, expire_on_commit=False) as session:
        return list(session.scalars(query))


def accounts(world: World) -> dict[str, int]:
    """Balance of each account that has one."""
    total = func.sum(LedgerPosting.amount_minor)
    query = select(LedgerPosting.account, total).group_by(LedgerPosting.account).having(total != 0)
    with Session(world.engine) as session:
        return {account: int(amount) for account, amount in session.execute(query)}


def shown(world: World) -> list[tuple[Any, ...]]:
    """(seq, status, amount) of each reward."""
    amounts = dict(zip([row.id for row in rewards(world)], amounts_of(world), strict=True))
    return [(row.seq, row.status, amounts[row.id]) for row in rewards(world)]


def amounts_of(world: World) -> list[int]:
    with Session(world.engine) as session:
        keys = [row.id for row in rewards(world)]
        posted = posted_sums(session, keys)
        return [posted.get(key, Posted(0, 0)).amount_minor for key in keys]


class TestCalculate:
    def test_each_payment_posts_what_is_missing(self, world: World, partner: int) -> None:
        """DOMAIN T1, A4, V8: one reward, one entry for each payment, balanced."""
        parts = [
            paid(str(n), "cb1", EMAIL, 4_000, day=n, invoice="inv", total=12_000, tax=2_000)
            for n in (1, 2, 3)
        ]
        world.receive(*parts)

        assert world.entries() == [667, 666, 667]
        assert shown(world) == [(1, "pending", 2_000)]
        assert accounts(world) == {"expense": 2_000, "payable_pending": -2_000}

    def test_a_difference_of_nothing_posts_nothing(self, world: World, partner: int) -> None:
        """DOMAIN A8, V9: a repeated cause, a refund of one unit."""
        event = paid("1", "cb1", EMAIL, 12_000)
        world.receive(event, {**event, "id": "again"}, refunded("r", "txn_1", 1, day=2))

        assert world.entries() == [2_400]

    def test_a_payment_over_two_invoices_earns_on_each(self, world: World, partner: int) -> None:
        """DOMAIN A4, M18: and keeps earning on one when the other is voided."""
        event = paid("1", "cb1", EMAIL, 6_000, invoice="a", total=5_000)
        links = [("a", 5_000), ("b", 1_000)]
        event["content"]["transaction"]["linked_invoices"] = [
            {"invoice_id": name, "applied_amount": part} for name, part in links
        ]
        second = chargebee.invoice("b", "cb1", 2_000)
        voided = chargebee.invoice("a", "cb1", 5_000, day=5, status="voided")
        world.receive(event, chargebee.event("ev_b", "invoice_generated", invoice=second))
        assert (world.earned(invoice="a"), world.earned(invoice="b")) == (1_000, 200)

        world.receive(chargebee.event("ev_a", "invoice_updated", 5, invoice=voided))

        assert (world.earned(invoice="a"), world.earned(invoice="b")) == (0, 200)

    def test_an_adjusted_invoice_with_its_cash_kept_needs_a_person(
        self, world: World, partner: int
    ) -> None:
        """DOMAIN A3."""
        note = chargebee.credit_note("cn", "inv_1", 10_000)
        noted = chargebee.event("ev_cn", "credit_note_created", 1, credit_note=note)
        world.receive(paid("1", "cb1", EMAIL), noted)

        assert world.earned() == 2_000
        assert world.conflicts() == ["inconsistent_invoice"]
        assert "until a person has looked" in render(rewards(world)[0].explanation)["text"]


class TestOpenRefund:
    @pytest.mark.parametrize(("status", "amount"), [("success", 0), ("failure", 2_000)])
    def test_holds_the_reward_until_it_settles_or_fails(
        self, status: str, amount: int, world: World, partner: int
    ) -> None:
        """DOMAIN A2."""
        started = refunded("r", "txn_1", 10_000, day=1, status="in_progress")
        ended = refunded("r", "txn_1", 10_000, day=2, status=status)
        world.receive(paid("1", "cb1", EMAIL), {**started, "event_type": "refund_initiated"})
        assert (world.earned(), world.hold(partner)) == (2_000, [("hold", "refund_open")])

        world.receive({**ended, "id": "ended", "event_type": "transaction_updated"})

        assert (world.earned(), world.hold(partner)) == (amount, [("pending", None)])


class TestFrozenVersion:
    def test_a_refund_uses_the_version_of_the_reward(self, world: World, partner: int) -> None:
        """DOMAIN A12."""
        world.add_version(world.rule, 2, 500_000, effective_from=at(10))
        world.receive(paid("1", "cb1", EMAIL, day=9), refunded("r", "txn_1", 5_000, day=11))

        assert world.entries() == [2_000, -1_000]

    def test_an_earlier_payment_chooses_again(self, world: World, partner: int) -> None:
        """DOMAIN A12."""
        world.add_version(world.rule, 2, 500_000, effective_from=at(10))
        late, early = (
            paid(str(day), "cb1", EMAIL, 5_000, day=day, invoice="inv", total=10_000)
            for day in (11, 9)
        )
        world.receive(late, early)

        assert world.entries() == [2_500, 2_000, -2_500]
        assert sorted(amounts_of(world)) == [0, 2_000]

    def test_unless_the_reward_was_approved(self, world: World, partner: int) -> None:
        """DOMAIN A12."""
        world.add_version(world.rule, 2, 500_000, effective_from=at(10))
        late, early = (
            paid(str(day), "cb1", EMAIL, 5_000, day=day, invoice="inv", total=10_000)
            for day in (11, 9)
        )
        world.receive(late)
        world.settle("approved")
        world.receive(early)

        assert shown(world) == [(1, "approved", 5_000)]


class TestSequence:
    @pytest.mark.parametrize("status", ["paid", "in_payout"])
    def test_a_settled_reward_is_taken_back_by_the_next(
        self, status: str, world: World, partner: int
    ) -> None:
        """DOMAIN A4, V4: negative and approved at once."""
        world.receive(paid("1", "cb1", EMAIL))
        world.settle(status)
        world.receive(refunded("r", "txn_1", 5_000))

        assert shown(world) == [(1, status, 2_000), (2, "approved", -1_000)]
        text = render(rewards(world)[1].explanation)["text"]
        assert text.endswith("hold 20.00 USD; this one is the difference: -10.00 USD.")

    def test_what_is_earned_after_a_settled_reward_is_pending(
        self, world: World, partner: int
    ) -> None:
        """DOMAIN A4."""
        first, second = (
            paid(str(day), "cb1", EMAIL, 5_000, day=day, invoice="inv", total=10_000)
            for day in (1, 2)
        )
        world.receive(first)
        world.settle("paid")
        world.receive(second, refunded("r", "txn_2", 1_000, day=3))

        assert shown(world) == [(1, "paid", 1_000), (2, "pending", 800)]

    def test_an_approved_reward_stays_open(self, world: World, partner: int) -> None:
        """DOMAIN A4, V8: only in_payout, paid and declined close it."""
        world.receive(paid("1", "cb1", EMAIL))
        world.settle("approved")
        world.receive(refunded("r", "txn_1", 5_000))

        assert shown(world) == [(1, "approved", 1_000)]


class TestLostReward:
    """A partner whose customer turns out to belong to another (DOMAIN M17)."""

    def lose(self, world: World) -> tuple[int, int]:
        loser, winner = world.partner("Ann"), world.partner("Bob")
        world.lead(EMAIL, loser)
        world.lead(OTHER, winner)
        world.receive(
            {**refunded("r", "txn_1", 1, day=6, status="in_progress"),
             "event_type": "refund_initiated"},
            paid("1", "cb1", EMAIL, day=5), paid("2", "cb1", OTHER, day=3),
        )  # fmt: skip
        return loser, winner

    def test_is_reversed_to_nothing_and_says_so(self, world: World) -> None:
        """DOMAIN M17, V1."""
        loser, winner = self.lose(world)

        assert (world.earned(loser), world.earned(winner)) == (0, 4_000)
        lost = next(row for row in rewards(world) if row.partner_id == loser)
        assert render(lost.explanation)["text"].startswith("Nothing is due for this invoice")

    def test_moves_from_one_status_to_another_once(self, world: World) -> None:
        """DOMAIN V1, V2: the history tells what the status is."""
        loser, _ = self.lose(world)
        world.receive(
            {**refunded("r", "txn_1", 1, day=7, status="failure"), "id": "failed"},
            refunded("s", "txn_1", 1, day=8),
            refunded("t", "txn_1", 1, day=9),
        )
        lost = next(row for row in rewards(world) if row.partner_id == loser)
        moves = [m for m in world.all(RewardStatusChange) if m.reward_id == lost.id]

        steps = [(move.from_status, move.to_status) for move in sorted(moves, key=lambda m: m.id)]

        assert steps == [("hold", "pending")]
        assert lost.status == "pending"
