"""Deals and account hierarchies: who is associated, who is paid."""

from typing import Any

import pytest

from rewards_service.crm.models import Deal, Lead
from tests.builders.chargebee import at, customer, event, invoice, paid, payment, refunded
from tests.builders.world import World

ADA = "ada@one.example"


def converted(world: World, lead: int) -> Any:
    """The customer a lead was converted to, by key; None while it is open."""
    return world.get(Lead, lead).customer_id


class TestDeals:
    def test_all_deals_of_the_email_are_associated_and_keep_their_stage(self, world: World) -> None:
        """DOMAIN M7, S1: the earliest registered names the partner."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        deals = [world.deal(ADA, bob, at(-1), "won"), world.deal(ADA, ann, at(-2))]
        world.receive(paid("p", "cb_1", ADA))
        owner = world.customer_of("cb_1")
        assert {world.get(Deal, key).customer_id for key in deals} == {owner.id}
        assert [world.get(Deal, key).stage for key in deals] == ["won", "open"]
        assert owner.source_partner_id == ann

    @pytest.mark.parametrize("stage", ["lost", "archived"])
    def test_closed_deals_do_not_match(self, stage: str, world: World) -> None:
        """DOMAIN M7."""
        world.deal(ADA, world.partner(), stage=stage)
        world.receive(paid("p", "cb_1", ADA))
        assert world.outcome("ev_p") == "unknown_customer"

    def test_a_later_deal_of_a_known_customer_is_associated(self, world: World) -> None:
        """DOMAIN M7, S1: it does not overwrite the source partner."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead(ADA, ann)
        world.receive(paid("p", "cb_1", ADA))
        deal = world.deal(ADA, bob, at(0.5))
        world.receive(paid("q", "cb_1", ADA, day=1))
        assert world.get(Deal, deal).customer_id == world.customer_of("cb_1").id
        assert (world.earned(ann), world.earned(bob)) == (4_000, 0)
        assert world.conflicts() == []

    def test_a_deal_of_another_customer_is_never_repointed(self, world: World) -> None:
        """DOMAIN M8."""
        deal = world.deal(ADA, world.partner())
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_2", ADA, day=1))
        assert world.get(Deal, deal).customer_id == world.customer_of("cb_1").id
        assert world.outcome("ev_q") == "unknown_customer"

    def test_a_deal_registered_after_the_payment_is_associated_but_earns_nothing(
        self, world: World
    ) -> None:
        """DOMAIN M7, M16: before_attribution."""
        ann = world.partner()
        world.deal(ADA, ann, at(1))
        world.receive(paid("p", "cb_1", ADA))
        assert world.transaction_of("txn_p").reason == "before_attribution"
        assert world.earned() == 0

    def test_lead_first_then_the_deal_goes_to_its_customer(self, world: World) -> None:
        """DOMAIN M9."""
        ann = world.partner()
        lead, deal = world.lead(ADA, ann), world.deal(ADA, ann)
        world.receive(paid("p", "cb_1", ADA))
        owner = world.customer_of("cb_1").id
        assert (converted(world, lead), world.get(Deal, deal).customer_id) == (owner, owner)
        assert world.conflicts() == []
        assert world.hold(ann) == [("pending", None)]

    def test_lead_and_deal_of_two_partners_hold_the_reward_of_the_lead(self, world: World) -> None:
        """DOMAIN S2, policy `hold`."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead(ADA, ann)
        world.deal(ADA, bob, at(-900))
        world.receive(paid("p", "cb_1", ADA))
        assert world.customer_of("cb_1").source_partner_id == ann
        assert world.conflicts() == ["attribution"]
        assert world.hold(ann) == [("hold", "conflict")]

    def test_policy_first_wins_opens_the_conflict_without_a_hold(self, world: World) -> None:
        """DOMAIN S2."""
        world.switch(conflict="first_wins")
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead(ADA, ann)
        world.deal(ADA, bob)
        world.receive(paid("p", "cb_1", ADA))
        assert world.conflicts() == ["attribution"]
        assert world.hold(ann) == [("pending", None)]


class TestHierarchy:
    def family(self, world: World) -> tuple[int, int]:
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead("child@one.example", ann)
        world.lead("root@one.example", bob)
        return ann, bob

    def child_pays_itself(self, name: str = "p", day: float = 1) -> dict[str, Any]:
        body = paid(name, "cb_child", "child@one.example", day=day)
        body["content"]["customer"]["relationship"] = {
            "parent_id": "cb_root", "root_id": "cb_root"
        }  # fmt: skip
        return body

    def test_the_invoices_customer_is_attributed_when_the_parent_pays(self, world: World) -> None:
        """DOMAIN M14: the payer may differ from the invoice's customer."""
        ann, _ = self.family(world)
        world.receive(
            paid("c", "cb_child", "child@one.example"),
            event(
                "ev_p", "payment_succeeded", 1,
                transaction=payment("txn_p", "cb_root", 5_000, {"inv_p": 5_000}, 1),
                invoice=invoice("inv_p", "cb_child", 5_000, 1, payment_owner="cb_root"),
                customer=customer("cb_root", "boss@one.example", 1),
            ),
        )  # fmt: skip
        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.earned(ann) == 3_000

    def test_a_stranger_as_payer_is_quarantined(self, world: World) -> None:
        """DOMAIN M14: customer_mismatch."""
        self.family(world)
        body = paid("p", "cb_child", "child@one.example")
        body["content"]["transaction"]["customer_id"] = "cb_other"
        world.receive(body)
        assert world.ended("ev_p") == ("quarantined", "customer_mismatch")
        assert world.customers() == []

    def test_the_gifter_is_attributed_for_a_gift(self, world: World) -> None:
        """DOMAIN M14: a gift's invoice is the gifter's."""
        ann, _ = self.family(world)
        body = paid("p", "cb_child", "child@one.example")
        body["content"]["invoice"]["is_gifted"] = True
        world.receive(body)
        assert world.earned(ann) == 2_000

    def test_by_default_the_child_counts(self, world: World) -> None:
        """DOMAIN M14."""
        ann, bob = self.family(world)
        world.receive(paid("r", "cb_root", "root@one.example"), self.child_pays_itself())
        assert (world.earned(ann), world.earned(bob)) == (2_000, 2_000)

    def test_with_hierarchy_root_the_root_counts(self, world: World) -> None:
        """DOMAIN M14."""
        world.switch(hierarchy="root")
        ann, bob = self.family(world)
        world.receive(paid("r", "cb_root", "root@one.example"), self.child_pays_itself())
        assert (world.earned(ann), world.earned(bob)) == (0, 4_000)
        assert world.customer_of("cb_child") is None

    def test_what_is_recorded_keeps_its_customer_when_the_option_changes(
        self, world: World
    ) -> None:
        """DOMAIN M13, M14: a later refund does not carry the reward to another partner."""
        ann, bob = self.family(world)
        world.receive(paid("r", "cb_root", "root@one.example"), self.child_pays_itself())
        world.switch(hierarchy="root")
        world.receive(refunded("x", "txn_p", 5_000, 2))
        assert (world.earned(ann), world.earned(bob)) == (1_000, 2_000)
