"""Settled rewards, and payers who compete for one lead or deal (A4, M16, M17)."""

import pytest

from rewards_service.crm.models import AttributionConflict
from rewards_service.rewards.models import Reward
from tests.builders.chargebee import (
    at,
    paid,
    refunded,
)
from tests.builders.world import World

ADA = "ada@one.example"


@pytest.mark.usefixtures("ann")
class TestSettled:
    """What happens to a reward that a person approved or that was paid (DOMAIN A4, V4)."""

    def test_an_approved_reward_takes_the_difference_itself(self, world: World) -> None:
        """DOMAIN A4: entries post to the open seq."""
        world.receive(paid("p", "cb_1", ADA))
        world.settle("approved")
        world.receive(refunded("r", "txn_p", 5_000, 1))
        assert [(row.seq, row.status) for row in world.all(Reward)] == [(1, "approved")]
        assert world.earned() == 1_000

    @pytest.mark.parametrize("status", ["paid", "in_payout"])
    def test_what_is_taken_back_of_a_settled_reward_opens_the_next_seq(
        self, status: str, world: World
    ) -> None:
        """DOMAIN A4, V4: negative and approved."""
        world.receive(paid("p", "cb_1", ADA))
        world.settle(status)
        world.receive(refunded("r", "txn_p", 5_000, 1))
        rows = sorted((row.seq, row.status) for row in world.all(Reward))
        assert rows == [(1, status), (2, "approved")]
        assert world.entries() == [2_000, -1_000]

    def test_a_second_payment_of_a_paid_invoice_opens_a_pending_seq(self, world: World) -> None:
        """DOMAIN A4."""
        world.receive(paid("p", "cb_1", ADA, 5_000, invoice="inv", total=10_000))
        world.settle("paid")
        world.receive(paid("q", "cb_1", ADA, 5_000, 1, invoice="inv", total=10_000))
        rows = sorted((row.seq, row.status) for row in world.all(Reward))
        assert rows == [(1, "paid"), (2, "pending")]


class TestCompetition:
    def test_the_payment_that_occurred_first_wins_also_when_it_arrives_last(
        self, world: World, ann: int
    ) -> None:
        """DOMAIN M17: a lead; the loser's rewards sum to exactly 0."""
        world.receive(paid("late", "cb_2", ADA, day=2))
        assert world.earned(invoice="inv_late") == 2_000
        world.receive(paid("early", "cb_1", ADA, day=1))
        assert world.earned(invoice="inv_late") == 0
        assert world.earned(invoice="inv_early") == 2_000
        assert world.transaction_of("txn_late").reason == "no_source_partner"
        assert world.earned(ann) == 2_000

    def test_the_loser_of_a_deal_was_never_a_customer(self, world: World) -> None:
        """DOMAIN M17, M7: its transaction is withdrawn, its event says unknown_customer."""
        world.deal(ADA, world.partner("Bob"))
        world.receive(paid("late", "cb_2", ADA, day=2), paid("early", "cb_1", ADA, day=1))
        assert world.outcome("ev_late") == "unknown_customer"
        assert world.transaction_of("txn_late") is None
        assert world.customer_of("cb_2") is None
        assert world.earned() == 2_000

    def test_a_pinned_customer_keeps_its_lead_and_a_conflict_is_opened(
        self, world: World, ann: int
    ) -> None:
        """DOMAIN M17: once a reward was approved."""
        world.receive(paid("late", "cb_2", ADA, day=2))
        world.pin(world.customer_of("cb_2").id)
        world.receive(paid("early", "cb_1", ADA, day=1))
        assert world.earned(invoice="inv_late") == 2_000
        assert world.earned(invoice="inv_early") == 0
        assert world.customer_of("cb_2").source_partner_id == ann
        assert len(world.all(AttributionConflict)) == 1

    def test_a_pinned_customer_keeps_its_deal_and_a_conflict_is_opened(self, world: World) -> None:
        """DOMAIN M17."""
        world.deal(ADA, world.partner("Bob"))
        world.receive(paid("late", "cb_2", ADA, day=2))
        world.pin(world.customer_of("cb_2").id)
        world.receive(paid("early", "cb_1", ADA, day=1))
        assert world.earned(invoice="inv_late") == 2_000
        assert world.customer_of("cb_1") is None
        assert len(world.all(AttributionConflict)) == 1

    def test_a_payer_that_becomes_known_gets_its_older_payments(self, world: World) -> None:
        """DOMAIN M16: by itself; those before the registration of the lead earn nothing."""
        world.lead(ADA, world.partner("Ann"), at(1))
        world.receive(
            paid("a", "cb_1", "other@one.example", day=0.5), paid("b", "cb_1", None, day=1.5)
        )
        assert (world.outcome("ev_a"), world.outcome("ev_b")) == ("unknown_customer", "no_email")
        world.receive(paid("c", "cb_1", ADA, day=2))
        outcomes = {world.outcome(f"ev_{name}") for name in "abc"}
        assert outcomes == {"transaction_recorded"}
        reasons = [world.transaction_of(f"txn_{name}").reason for name in "abc"]
        assert reasons == ["before_attribution", None, None]
        assert world.earned() == 4_000
