"""Which rule pays, in which version, and why a payment earned nothing."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.partners.models import Enrolment
from rewards_service.rewards.models import Reward
from tests.builders.chargebee import (
    at,
    paid,
    refunded,
)
from tests.builders.world import World

ADA = "ada@one.example"


class TestReasons:
    def test_without_a_source_partner(self, world: World) -> None:
        """DOMAIN S4, V11."""
        world.lead(ADA)
        world.receive(paid("p", "cb_1", ADA))
        assert world.transaction_of("txn_p").reason == "no_source_partner"

    def test_the_partner_must_be_active_when_the_payment_is_made(self, world: World) -> None:
        """DOMAIN S4, boundaries: paused from the second day up to the third."""
        ann = world.partner("Ann")
        world.lead(ADA, ann)
        world.set_status(ann, "paused", at(1))
        world.set_status(ann, "active", at(2))
        for name, day in (("a", 0.9), ("b", 1), ("c", 1.9), ("d", 2)):
            world.receive(paid(name, "cb_1", ADA, day=day))
        reasons = [world.transaction_of(f"txn_{name}").reason for name in "abcd"]
        assert reasons == [None, "partner_inactive", "partner_inactive", None]
        assert world.earned() == 4_000

    def test_a_partner_in_no_programme_has_no_rule(self, world: World) -> None:
        """DOMAIN V11."""
        world.lead(ADA, world.partner("Ann"))
        with Session(world.engine) as session, session.begin():
            for row in session.scalars(select(Enrolment)):
                session.delete(row)
        world.receive(paid("p", "cb_1", ADA))
        assert world.transaction_of("txn_p").reason == "no_rule"

    @pytest.mark.usefixtures("ann")
    def test_an_invoice_of_tax_only_has_no_eligible_lines(self, world: World) -> None:
        """DOMAIN A2, V11."""
        world.receive(paid("p", "cb_1", ADA, 2_000, tax=2_000))
        assert world.transaction_of("txn_p").reason == "not_eligible_lines"

    @pytest.mark.usefixtures("ann")
    def test_a_payment_of_nothing_earns_nothing(self, world: World) -> None:
        """DOMAIN A14, A8."""
        world.receive(paid("p", "cb_1", ADA, 0))
        assert world.entries() == []
        assert world.transaction_of("txn_p").reason is not None

    @pytest.mark.usefixtures("ann")
    def test_a_reward_that_rounds_to_zero_is_no_change(self, world: World) -> None:
        """DOMAIN A8."""
        world.receive(paid("p", "cb_1", ADA, 2))
        assert world.entries() == []
        assert world.transaction_of("txn_p").reason == "no_change"


@pytest.mark.usefixtures("ann")
class TestRules:
    def test_a_flat_reward_is_kept_until_no_cash_is_left(self, world: World) -> None:
        """DOMAIN A7, A13: both rules pay."""
        flat = world.add_rule(None, {"USD": 500})
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 9_999, 1))
        assert world.entries()[:2] == [2_000, 500]
        assert world.earned() == 500
        world.receive(refunded("s", "txn_p", 1, 2))
        assert world.earned() == 0
        assert flat != world.rule

    def test_a_flat_rule_without_the_currency_says_so(self, world: World) -> None:
        """DOMAIN A7."""
        world.add_version(world.rule, 2, None, {"EUR": 500})
        world.receive(paid("p", "cb_1", ADA))
        assert world.transaction_of("txn_p").reason == "no_amount_for_currency"

    def test_the_version_in_force_at_the_payment_counts(self, world: World) -> None:
        """DOMAIN A12, boundary included."""
        world.add_version(world.rule, 2, 100_000, effective_from=at(5))
        world.receive(paid("p", "cb_1", ADA, day=4.9), paid("q", "cb_1", ADA, day=5))
        assert (world.earned(invoice="inv_p"), world.earned(invoice="inv_q")) == (2_000, 1_000)

    def test_a_rule_that_is_not_effective_yet_says_so(self, world: World) -> None:
        """DOMAIN A12, V11."""
        late = world.add_rule(None, {"USD": 1})
        world.receive(paid("p", "cb_1", ADA))
        assert late
        assert world.earned() == 2_001

    def test_the_version_is_frozen_at_the_first_payment_of_the_invoice(self, world: World) -> None:
        """DOMAIN A12: a later payment and a refund use the version of the first."""
        world.add_version(world.rule, 2, 100_000, effective_from=at(5))
        world.receive(
            paid("p", "cb_1", ADA, 5_000, day=4, invoice="inv", total=10_000),
            paid("q", "cb_1", ADA, 5_000, day=6, invoice="inv", total=10_000),
        )
        assert world.entries() == [1_000, 1_000]
        world.receive(refunded("r", "txn_q", 5_000, 7))
        assert world.entries() == [1_000, 1_000, -1_000]

    def test_the_version_is_chosen_again_when_an_earlier_payment_arrives(
        self, world: World
    ) -> None:
        """DOMAIN A12."""
        world.add_version(world.rule, 2, 100_000, effective_from=at(5))
        world.receive(paid("q", "cb_1", ADA, 5_000, day=6, invoice="inv", total=10_000))
        assert world.earned() == 500
        world.receive(paid("p", "cb_1", ADA, 5_000, day=4, invoice="inv", total=10_000))
        assert world.earned() == 2_000

    def test_a_version_made_later_does_not_touch_what_is_frozen(self, world: World) -> None:
        """DOMAIN A12: a refund always uses the version of the original reward."""
        world.receive(paid("p", "cb_1", ADA))
        world.add_version(world.rule, 2, 500_000)
        world.add_rule(None, {"USD": 900})
        world.receive(refunded("r", "txn_p", 5_000, 1))
        assert world.entries() == [2_000, -1_000]

    def test_the_money_is_available_after_the_hold_of_the_rule(self, world: World) -> None:
        """DOMAIN V5: paid date and hold days; a refund does not reset the clock."""
        world.add_version(world.rule, 2, 200_000, hold_days=30)
        world.receive(paid("p", "cb_1", ADA), refunded("r", "txn_p", 5_000, 9))
        assert [row.available_on.isoformat() for row in world.all(Reward)] == ["2026-01-31"]
