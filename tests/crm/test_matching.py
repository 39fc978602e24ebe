"""From the payer's e-mail and Chargebee id to a customer: the matching rules, one by one."""

from typing import Any

import pytest

from rewards_service.crm.models import AttributionConflict, Customer, Lead
from rewards_service.integrations.models import Integration
from rewards_service.properties.models import PropertyDefinition
from rewards_service.rewards.models import Reward
from tests.builders.chargebee import at, customer, event, paid
from tests.builders.world import World

ADA = "ada@one.example"


def converted(world: World, lead: int) -> Any:
    """The customer a lead was converted to, by key; None while it is open."""
    return world.get(Lead, lead).customer_id


class TestCustomer:
    def test_the_chargebee_id_decides_and_no_email_overrides_it(self, world: World) -> None:
        """DOMAIN M2, S1: a known customer pays with the e-mail of another partner's lead."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead(ADA, ann)
        other = world.lead("new@one.example", bob)
        world.receive(paid("p1", "cb_1", ADA), paid("p2", "cb_1", "new@one.example", day=1))
        assert converted(world, other) is None
        assert (world.earned(ann), world.earned(bob)) == (4_000, 0)

    def test_ids_of_two_sites_are_two_payers(self, world: World) -> None:
        """DOMAIN M2, M5: the other site's id is attached to the lead's customer."""
        ann = world.partner()
        world.lead(ADA, ann)
        second = world.connect("other-site")
        world.receive(paid("p", "cb_1", ADA))
        second.accept(paid("p", "cb_1", ADA, day=1))
        second.accept(paid("x", "cb_1", "who@else.example", day=2))
        world.drain()
        first, linked = world.customer_of("cb_1"), world.customer_of("cb_1", second)
        assert first.id == linked.id
        assert len(world.customers()) == 1
        assert world.earned(ann) == 6_000

    def test_the_event_says_the_email_not_the_mirror(self, world: World) -> None:
        """DOMAIN M1: the mirror holds a newer e-mail of the same Chargebee customer."""
        lead = world.lead(ADA, world.partner())
        newer = customer("cb_1", "other@one.example", day=9)
        world.receive(event("ev_c", "customer_changed", 9, customer=newer), paid("p", "cb_1", ADA))
        assert converted(world, lead) is not None

    def test_a_payload_of_another_site_is_a_warning_not_a_refusal(self, world: World) -> None:
        """DOMAIN M1."""
        world.lead(ADA, world.partner())
        world.receive({**paid("p", "cb_1", ADA), "site": "elsewhere"})
        assert world.outcome("ev_p") == "transaction_recorded"
        assert world.get(Integration, world.site.id).other_site_seen == "elsewhere"

    def test_one_customer_made_by_hand_gets_the_id(self, world: World) -> None:
        """DOMAIN M6."""
        ann = world.partner()
        key = world.person(ADA, ann)
        world.receive(paid("p", "cb_1", ADA))
        assert world.customer_of("cb_1").id == key
        assert world.earned(ann) == 2_000

    def test_several_customers_made_by_hand_are_a_conflict(self, world: World) -> None:
        """DOMAIN M6."""
        world.person(ADA)
        world.person(ADA)
        world.receive(paid("p", "cb_1", ADA))
        assert world.outcome("ev_p") == "unknown_customer"
        assert world.conflicts() == ["ambiguous_email"]

    def test_the_properties_are_written_with_the_conversion(self, world: World) -> None:
        """DOMAIN M10."""
        world.lead(ADA, world.partner())
        world.receive(paid("p", "cb_1", ADA))
        labels = {row.label for row in world.all(PropertyDefinition)}
        assert {
            "ChargeBee Customer ID",
            "Chargebee Transaction ID",
            "Chargebee Invoice ID",
        } == labels
        assert world.customer_of("cb_1") is not None


class TestLeads:
    @pytest.mark.parametrize("status", ["pending", "accepted"])
    def test_open_leads_convert(self, status: str, world: World) -> None:
        """DOMAIN M3; a pending one earns on hold (defaults, 1)."""
        ann = world.partner()
        lead = world.lead(ADA, ann, status=status)
        world.receive(paid("p", "cb_1", ADA))
        assert converted(world, lead) == world.customer_of("cb_1").id
        assert world.get(Lead, lead).converted_at == at(0)
        expected = ("hold", "lead_pending") if status == "pending" else ("pending", None)
        assert world.hold(ann) == [expected]
        assert world.earned(ann) == 2_000

    def test_a_lost_lead_does_not_convert(self, world: World) -> None:
        """DOMAIN M3."""
        world.lead(ADA, world.partner(), status="lost")
        world.receive(paid("p", "cb_1", ADA))
        assert world.outcome("ev_p") == "unknown_customer"

    def test_a_lead_registered_after_the_payment_does_not_claim_it(self, world: World) -> None:
        """DOMAIN M3, boundary: at the very second it still does."""
        world.lead(ADA, world.partner("Ann"), registered_at=at(1))
        world.receive(paid("p", "cb_1", ADA, day=0))
        assert world.outcome("ev_p") == "unknown_customer"
        assert world.customers() == []
        world.receive(paid("q", "cb_1", ADA, day=1))
        assert world.outcome("ev_q") == "transaction_recorded"

    def test_the_first_registered_of_several_wins(self, world: World) -> None:
        """DOMAIN M4: others are superseded; no conflict while the partner is the same."""
        ann = world.partner()
        late, early = world.lead(ADA, ann, at(-1)), world.lead(ADA, ann, at(-2))
        world.receive(paid("p", "cb_1", ADA))
        assert converted(world, early) is not None
        assert converted(world, late) is None
        assert world.get(Lead, late).status == "accepted"
        assert world.get(Lead, late).superseded_by_id == early
        assert world.conflicts() == []

    def test_two_partners_of_one_email_are_a_conflict_and_a_hold(self, world: World) -> None:
        """DOMAIN M4; defaults, 3."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        world.lead(ADA, ann, at(-2))
        world.lead(ADA, bob, at(-1))
        world.receive(paid("p", "cb_1", ADA))
        assert world.conflicts() == ["attribution"]
        assert world.hold(ann) == [("hold", "conflict")]
        assert world.earned(bob) == 0

    def test_a_second_account_of_the_same_email_earns_nobody_anything(self, world: World) -> None:
        """DOMAIN M5: same_email_other_chargebee_id."""
        ann = world.partner()
        world.lead(ADA, ann)
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_2", ADA, day=1))
        assert world.customer_of("cb_2").source_partner_id is None
        assert world.customer_of("cb_2").id != world.customer_of("cb_1").id
        assert world.transaction_of("txn_q").reason == "no_source_partner"
        assert world.conflicts() == ["same_email_other_chargebee_id"]
        assert world.earned(ann) == 2_000


class TestConflicts:
    def test_the_same_conflict_is_opened_once(self, world: World) -> None:
        """DOMAIN M6."""
        world.person(ADA)
        world.person(ADA)
        world.receive(paid("p", "cb_1", ADA), paid("q", "cb_1", ADA, day=1))
        assert len(world.all(AttributionConflict)) == 1
        assert {row.machine_made for row in world.all(Customer)} == {False}
        assert world.all(Reward) == []
