"""What an invoice earns as payments, refunds and credit notes come (A2-A4)."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.rewards.models import LedgerPosting, Reward
from tests.builders.chargebee import (
    paid,
    refunded,
)
from tests.builders.corrections import noted
from tests.builders.world import World

ADA = "ada@one.example"


@pytest.mark.usefixtures("ann")
class TestTargets:
    def test_partial_payments_then_refunds_follow_the_target(self, world: World) -> None:
        """DOMAIN A4, T1-T4: 417, 416, 417, then nothing, -625, -625, and exactly 0."""
        world.add_version(world.rule, 2, 125_000)
        for part in range(3):
            world.receive(
                paid(f"{part}", "cb_1", ADA, 4_000, part, invoice="inv", total=12_000, tax=2_000)
            )
        assert world.entries() == [417, 416, 417]
        world.receive(refunded("a", "txn_0", 1, 5))
        assert world.entries() == [417, 416, 417]
        world.receive(
            refunded("b", "txn_0", 3_999, 6), refunded("c", "txn_1", 2_000, 6),
            refunded("d", "txn_1", 2_000, 7), refunded("e", "txn_2", 4_000, 7),
        )  # fmt: skip
        assert world.earned() == 0
        assert {row.status for row in world.all(Reward)} == {"pending"}

    def test_refund_of_5999_then_6000(self, world: World) -> None:
        """DOMAIN T3, T4 on one payment of the whole."""
        world.add_version(world.rule, 2, 125_000)
        world.receive(paid("p", "cb_1", ADA, 12_000, tax=2_000))
        world.receive(refunded("a", "txn_p", 1, 1), refunded("b", "txn_p", 5_999, 2))
        assert world.entries() == [1_250, -625]
        world.receive(refunded("c", "txn_p", 6_000, 3))
        assert world.entries() == [1_250, -625, -625]
        assert world.transaction_of("txn_p").status == "refunded"

    def test_each_posting_balances_and_names_its_partner(self, world: World, ann: int) -> None:
        """DOMAIN V8: the sides of an entry sum to 0; V1: a refund adds rows, it changes none."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 2_500, 1))
        sums = select(func.sum(LedgerPosting.amount_minor)).group_by(LedgerPosting.entry_id)
        with Session(world.engine) as session:
            assert [int(total) for total in session.scalars(sums)] == [0, 0]
        sides = world.all(LedgerPosting)
        assert {row.partner_id for row in sides} == {ann}
        assert {row.account for row in sides} == {"expense", "payable_pending"}

    def test_refunds_beyond_the_payment_never_take_more_than_it_gave(self, world: World) -> None:
        """DOMAIN A2."""
        world.receive(
            paid("p", "cb_1", ADA), refunded("a", "txn_p", 8_000), refunded("b", "txn_p", 8_000, 2)
        )
        assert world.earned() == 0
        assert world.transaction_of("txn_p").refunded_minor == 10_000

    def test_the_half_refund_of_a_refundable_note_counts_once(self, world: World) -> None:
        """DOMAIN A3: the note is not a second subtraction."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 5_000, 1))
        world.receive(noted("CN", "inv_p", 5_000, 2, kind="refundable"))
        assert world.earned() == 1_000

    def test_a_refundable_note_without_a_refund_takes_nothing_back(self, world: World) -> None:
        """DOMAIN A2."""
        world.receive(paid("p", "cb_1", ADA), noted("CN", "inv_p", 5_000, 1, kind="refundable"))
        assert world.earned() == 2_000

    def test_an_adjustment_note_lowers_what_is_payable_and_what_earns(self, world: World) -> None:
        """DOMAIN A3, V3: 8000 paid of 10000, then 2000 are adjusted away: 8000 earn."""
        world.receive(paid("p", "cb_1", ADA, 8_000, total=10_000))
        assert world.earned() == 1_600
        world.receive(noted("CN", "inv_p", 2_000, 1))
        assert world.earned() == 1_600
        world.receive(noted("CN", "inv_p", 2_000, 2, status="voided"))
        assert world.earned() == 1_600

    def test_a_voided_note_restores(self, world: World) -> None:
        """DOMAIN V3."""
        world.receive(paid("p", "cb_1", ADA), noted("CN", "inv_p", 4_000, 1))
        assert world.earned() == 1_200
        world.receive(noted("CN", "inv_p", 4_000, 2, status="voided"))
        assert world.earned() == 2_000

    def test_a_note_over_all_that_was_paid_keeps_the_reward_and_asks_a_person(
        self, world: World
    ) -> None:
        """DOMAIN A3: inconsistent_invoice."""
        world.receive(paid("p", "cb_1", ADA), noted("CN", "inv_p", 10_000, 1))
        assert world.earned() == 2_000
        assert world.conflicts() == ["inconsistent_invoice"]

    def test_a_note_over_all_of_an_invoice_without_cash_leaves_nothing(self, world: World) -> None:
        """DOMAIN A3: without cash, base 0 and nothing to ask."""
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 10_000, 1))
        world.receive(noted("CN", "inv_p", 10_000, 2))
        assert world.earned() == 0
        assert world.conflicts() == []

    def test_written_off_money_is_not_payable(self, world: World) -> None:
        """DOMAIN A2: payable is the total less the write-off."""
        body = paid("p", "cb_1", ADA, 5_000, total=10_000)
        body["content"]["invoice"]["write_off_amount"] = 5_000
        world.receive(body)
        assert world.earned() == 2_000

    @pytest.mark.parametrize("note_first", [True, False])
    def test_a_write_off_told_by_invoice_and_credit_note_counts_once(
        self, world: World, note_first: bool
    ) -> None:
        """DOMAIN A2, A3: half is paid, half written off; the note lowers both sums alike."""
        body = paid("p", "cb_1", ADA, 5_000, total=10_000)
        body["content"]["invoice"]["write_off_amount"] = 5_000
        note = noted("CN", "inv_p", 5_000, 2, reason_code="write_off")
        world.receive(*([note, body] if note_first else [body, note]))
        assert world.earned() == 1_000
        assert world.conflicts() == []
