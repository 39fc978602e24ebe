"""Defects of other programmes for partner rewards, each impossible here.

A test is named after what goes wrong elsewhere; its docstring says where.
"""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from rewards_service.payouts import service as payouts
from rewards_service.programs import service as programs
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import Json, at, epoch, event, paid, payment, refunded
from tests.builders.corrections import updated
from tests.builders.world import World
from tests.proofs.paying import approve_all, balances, lines, make_payouts, pay_out

ADA = "ada@one.example"


@pytest.fixture(autouse=True)
def ann(world: World) -> int:
    """A partner whose lead Ada is."""
    partner = world.partner("Ann")
    world.lead(ADA, partner)
    return partner


def change_rate(world: World, rate: int, day: float) -> None:
    with transaction(world.engine) as session:
        wanted = {"rate": rate, "effective_from": at(day)}
        programs.change_rule(session, world.rule, wanted, "fin")


def billed(name: str, day: float, amount: int = 10_000, **members: Any) -> Json:
    """A payment whose invoice is of the same day."""
    told = paid(name, "cb_1", ADA, amount, day, **members)
    told["content"]["invoice"]["date"] = epoch(day)
    return told


class TestDub:
    def test_a_partial_refund_does_not_wipe_the_whole_reward(self, world: World) -> None:
        """partner-programs 2, Dub (a); Tolt; PartnerStack. DOMAIN V3: 1 % is taken back."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 100))

        assert world.entries() == [2_000, -20]

    def test_a_refund_of_a_paid_reward_is_not_skipped(self, world: World) -> None:
        """partner-programs 2, Dub (b); PartnerStack; Tapfiliate; impact. DOMAIN V4."""
        world.receive(paid("p", "cb_1", ADA))
        assert pay_out(world) == [2_000]
        world.receive(refunded("r", "txn_p", 5_000))
        assert balances(world)[("USD", "clawback_receivable")] == 1_000
        world.receive(paid("q", "cb_1", ADA, day=3))

        assert pay_out(world) == [1_000]
        assert lines(world) == [("paid", 2_000), ("paid", -1_000), ("paid", 2_000)]
        assert balances(world) == {("USD", "expense"): 3_000, ("USD", "paid"): -3_000}

    def test_an_invoice_partly_covered_by_credits_does_not_earn_on_tax(self, world: World) -> None:
        """partner-programs 2, Dub (c). DOMAIN A2, A3: 9000 of 12000 paid, net 10000, 20 %."""
        world.receive(paid("p", "cb_1", ADA, 9_000, total=12_000, tax=2_000))

        assert world.entries() == [1_500]

    def test_an_edited_payment_keeps_its_rule_and_its_conditions(self, world: World) -> None:
        """partner-programs 2, Dub (d). DOMAIN A12: 8000 of 10000 stay, under the first version."""
        world.receive(paid("p", "cb_1", ADA))
        change_rate(world, 900_000, -1)
        world.receive(updated("p", 8_000, {"inv_p": 8_000}, 2))

        assert world.entries() == [2_000, -400]

    @pytest.mark.parametrize(("flat_first", "earned"), [(True, 1_000), (False, 3_000)])
    def test_a_flat_amount_is_never_compared_with_a_percentage(
        self, flat_first: bool, earned: int, world: World
    ) -> None:
        """partner-programs 2, Dub (e): 1000 cents beat 30 %. DOMAIN A13: the priority decides."""
        group: dict[str, Any] = {"stack_group": "one"}
        world.add_version(world.rule, 2, 300_000, priority=1, **group)
        world.add_rule(None, {"USD": 1_000}, priority=2 if flat_first else 0, **group)
        world.receive(paid("p", "cb_1", ADA))

        assert world.entries() == [earned]

    def test_what_is_taken_back_is_rounded_like_what_was_given(self, world: World) -> None:
        """partner-programs 2, Dub (f). DOMAIN A5: 2.5 gives 2, and takes 2 back."""
        world.add_version(world.rule, 2, 25_000)
        world.receive(paid("p", "cb_1", ADA, 100), refunded("r", "txn_p", 100))

        assert world.entries() == [2, -2]

    def test_a_missing_exchange_rate_never_passes_the_amount_through(
        self, world: World, ann: int
    ) -> None:
        """partner-programs 2, Dub (g). DOMAIN V7."""
        with transaction(world.engine) as session:
            session.get_one(Partner, ann).payout_currency = "EUR"
        world.receive(paid("p", "cb_1", ADA))
        approve_all(world)
        (payout,) = make_payouts(world).payouts

        assert (payout.pay_total_minor, payout.problem) == (None, "rate_missing")
        with pytest.raises(payouts.RateMissing), transaction(world.engine) as session:
            payouts.submit(session, payout.id, "fin")

    def test_a_window_counts_from_the_invoice_and_not_from_our_clock(self, world: World) -> None:
        """partner-programs 2, Dub (h). DOMAIN A11: one month from 1 January, [1st, 1st)."""
        world.add_version(world.rule, 2, 200_000, first_months=1)
        world.receive(billed("a", 0), billed("b", 30), billed("c", 31))

        assert [world.earned(invoice=f"inv_{name}") for name in "abc"] == [2_000, 2_000, 0]
        assert world.transaction_of("txn_c").reason == "window_over"

    def test_a_payment_of_somebody_unknown_yet_is_not_lost(self, world: World, ann: int) -> None:
        """partner-programs 2, Dub (i): marked as done before the work. DOMAIN M16, V9."""
        first = paid("p", "cb_9", "eve@else.example")
        world.receive(first, first)
        assert world.outcome("ev_p") == "unknown_customer"
        world.lead("eve@work.example", ann)
        world.receive(paid("q", "cb_9", "eve@work.example", day=1))

        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.earned() == 4_000


class TestOthers:
    def test_a_refund_removes_no_transaction(self, world: World) -> None:
        """partner-programs 2, PartnerStack: "the associated transaction is removed"."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 10_000))

        found = world.transaction_of("txn_p")
        assert (found.status, found.amount_minor, found.refunded_minor) == (
            "refunded", 10_000, 10_000,
        )  # fmt: skip

    def test_an_edited_rule_is_not_deleted_and_made_anew(self, world: World) -> None:
        """partner-programs 2, PartnerStack. DOMAIN A12: what was posted stays."""
        world.receive(paid("p", "cb_1", ADA))
        change_rate(world, 500_000, 1)
        world.receive(paid("q", "cb_1", ADA, day=2))

        assert world.entries() == [2_000, 5_000]

    def test_a_full_refund_deletes_no_reward(self, world: World) -> None:
        """partner-programs 2, Rewardful. DOMAIN V1: two entries that sum to nothing."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 10_000))

        assert world.entries() == [2_000, -2_000]
        assert len(world.all(Reward)) == 1

    def test_a_refund_after_a_change_of_rate_uses_the_rate_of_then(self, world: World) -> None:
        """partner-programs 2, FirstPromoter (wrong rate without event_id), impact. DOMAIN A12."""
        world.receive(paid("p", "cb_1", ADA))
        change_rate(world, 500_000, 1)
        world.receive(refunded("r", "txn_p", 5_000, 400))

        assert world.entries() == [2_000, -1_000]

    @pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
    def test_nothing_is_converted_to_a_default_currency(self, currency: str, world: World) -> None:
        """partner-programs 2, FirstPromoter, refref ("USD"); 3.8. DOMAIN A1."""
        world.receive(paid("p", "cb_1", ADA, 1_234, currency_code=currency))

        (reward,) = world.all(Reward)
        assert (reward.currency, world.entries()) == (currency, [247])

    def test_one_payment_told_by_many_events_pays_once(self, world: World) -> None:
        """partner-programs 2, Tolt (API and billing both connected). DOMAIN V9."""
        told = paid("p", "cb_1", ADA)
        again = {**told, "id": "ev_again"}
        known = payment("txn_p", "cb_1", 10_000, {"inv_p": 10_000})
        for kind in ("transaction_created", "transaction_updated"):
            world.receive(event(f"ev_{kind}", kind, 0, transaction=known))
        world.receive(told, again, told)

        assert world.entries() == [2_000]
        assert len(world.all(Transaction)) == 1

    def test_a_payment_without_an_email_is_matched_by_its_chargebee_id(self, world: World) -> None:
        """partner-programs 2, Reditus; 3.9. DOMAIN M2."""
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_1", None, day=1))

        assert world.entries() == [2_000, 2_000]

    def test_the_database_refuses_a_second_reward_of_the_same(self, world: World) -> None:
        """partner-programs 2, refref: a check in the application, no constraint. DOMAIN V9."""
        world.receive(paid("p", "cb_1", ADA))
        with Session(world.engine) as session:
            row = session.scalars(select(Reward)).one()
            twin = {c.key: getattr(row, c.key) for c in Reward.__mapper__.columns if c.key != "id"}
            session.add(Reward(**twin))
            with pytest.raises(IntegrityError):
                session.flush()

    def test_an_event_without_credentials_is_refused(self, world: World) -> None:
        """partner-programs 2, Refferq: unsigned conversions."""
        answer = world.site.post(paid("p", "cb_1", ADA), Authorization="")

        assert (answer.status_code, world.entries()) == (401, [])

    def test_no_rule_means_no_reward_at_all(self, world: World) -> None:
        """partner-programs 2, Refferq: rate 15 recorded, amount 0. DOMAIN V11."""
        world.add_version(world.rule, 2, 200_000, conditions={"countries": ["FR"]})
        world.receive(paid("p", "cb_1", ADA))

        assert (world.all(Reward), world.entries()) == ([], [])
        assert world.transaction_of("txn_p").reason is not None
