"""What partners and their programmes complain about most, each impossible here."""

from typing import Any

import pytest

from rewards_service.kit.db import transaction
from rewards_service.payouts import service as payouts
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import Json, at, epoch, invoice, paid, refunded
from tests.builders.whole import violations
from tests.builders.world import World
from tests.proofs.paying import approve_all, balances, lines, make_payouts

ADA = "ada@one.example"


@pytest.fixture(autouse=True)
def ann(world: World) -> int:
    """A partner whose lead Ada is."""
    partner = world.partner("Ann")
    world.lead(ADA, partner)
    return partner


def billed(name: str, day: float, amount: int = 10_000, **members: Any) -> Json:
    """A payment whose invoice is of the same day."""
    told = paid(name, "cb_1", ADA, amount, day, **members)
    told["content"]["invoice"]["date"] = epoch(day)
    return told


class TestPains:
    def test_parallel_and_repeated_deliveries_pay_once(self, world: World) -> None:
        """partner-programs 3.3: three referrals for one order. DOMAIN V9."""
        told = paid("p", "cb_1", ADA)
        world.accept(told, told, {**told, "id": "ev_b"}, {**told, "id": "ev_c"})
        world.drain()

        assert world.entries() == [2_000]

    def test_shipping_can_be_left_out_of_the_base(self, world: World) -> None:
        """partner-programs 3.4. DOMAIN A2, A6: 8000 of 10000 are the plan."""
        world.add_version(world.rule, 2, 200_000, item_filter={"exclude": ["shipping"]})
        told = paid("p", "cb_1", ADA)
        told["content"]["invoice"] |= invoice("inv_p", "cb_1", 10_000, lines=[8_000, 2_000])
        told["content"]["invoice"]["line_items"][1]["entity_id"] = "shipping"
        world.receive(told)

        assert world.entries() == [1_600]

    def test_part_payments_do_not_gather_fractions_of_a_cent(self, world: World) -> None:
        """partner-programs 3.7. DOMAIN A4: seven parts of 1 cent each give what 7 cents give."""
        for name in "abcdefg":
            world.receive(paid(name, "cb_1", ADA, 1, invoice="inv", total=7))

        assert world.earned(invoice="inv") == 1

    @pytest.mark.parametrize("email", ["  ADA@One.Example ", "ada@ONE.example", "ａda@one.example"])
    def test_another_spelling_of_the_email_still_matches(self, email: str, world: World) -> None:
        """partner-programs 3.9. DOMAIN E1, E3."""
        world.receive(paid("p", "cb_1", email))

        assert world.entries() == [2_000]

    def test_two_payouts_never_take_the_same_reward(self, world: World) -> None:
        """partner-programs 3.11. DOMAIN V6."""
        world.receive(paid("p", "cb_1", ADA))
        approve_all(world)

        assert [len(make_payouts(world).payouts) for _ in range(2)] == [1, 0]
        assert lines(world) == [("draft", 2_000)]

    def test_a_statement_says_what_the_ledger_says(self, world: World) -> None:
        """partner-programs 3.12. DOMAIN V6, V8: money that goes meanwhile nets in the next one."""
        world.receive(paid("p", "cb_1", ADA))
        approve_all(world)
        (payout,) = make_payouts(world).payouts
        world.receive(refunded("r", "txn_p", 5_000))
        with transaction(world.engine) as session:
            payouts.submit(session, payout.id, "fin")
            payouts.accept(session, payout.id, "fin")
            payouts.mark_paid(session, payout.id, at(0).date(), "ref", "fin")

        assert balances(world) == {
            ("USD", "expense"): 1_000,
            ("USD", "paid"): -2_000,
            ("USD", "clawback_receivable"): 1_000,
        }
        assert violations(world.engine) == {}

    def test_a_reward_says_when_it_may_be_paid(self, world: World) -> None:
        """partner-programs 3.13. DOMAIN V5: 30 days after the payment, whatever is refunded."""
        world.add_version(world.rule, 2, 200_000, hold_days=30)
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 10, 20))

        assert [row.available_on for row in world.all(Reward)] == [at(30).date()]

    def test_part_payments_do_not_use_up_a_number_of_payments(self, world: World) -> None:
        """partner-programs 3.14. DOMAIN A11: two invoices, the first of them in three parts."""
        world.add_version(world.rule, 2, 200_000, first_payments=2)
        for name in "abc":
            world.receive(paid(name, "cb_1", ADA, 1_000, invoice="one", total=3_000))
        world.receive(billed("two", 1), billed("three", 2))

        earned = [world.earned(invoice=name) for name in ("one", "inv_two", "inv_three")]
        assert earned == [600, 2_000, 0]

    def test_free_invoices_make_no_noise(self, world: World) -> None:
        """partner-programs 3.15. DOMAIN A14, A8."""
        world.receive(paid("p", "cb_1", ADA, 0))

        assert (world.entries(), world.all(Reward)) == ([], [])

    def test_what_is_only_observed_writes_no_books(self, world: World) -> None:
        """partner-programs 3.15: test events in live books. DOMAIN V11: observed."""
        world.switch(mode="observe")
        world.receive(paid("p", "cb_1", ADA))

        assert world.outcome("ev_p") == "observed"
        assert (world.customers(), world.all(Transaction), world.entries()) == ([], [], [])
