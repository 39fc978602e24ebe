"""What an approval made final stays, whatever payments become known later (DOMAIN M17)."""

from datetime import datetime

import pytest

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import Claim, CustomerFacts, DealFacts, LeadFacts, Match, Payer
from rewards_service.crm.matching import Resolution as Done
from tests.builders.chargebee import at
from tests.crm.claims import KEYS, claim, deal, lead

HERE, THERE = Payer(1, "cb1"), Payer(2, "cb9")


def pinned(
    *payers: Payer, partner: int | None = 1, linked_at: datetime | None = None
) -> CustomerFacts:
    """Customer 7, of whose rewards one was approved."""
    return CustomerFacts(7, KEYS[0], partner, payers or (HERE,), True, linked_at)


def its_lead(key: int = 1, when: datetime | None = None) -> LeadFacts:
    return lead(key)._replace(pinned_customer_id=7, pinned_at=when)


def its_deal(key: int = 1, when: datetime | None = None) -> DealFacts:
    return deal(key)._replace(pinned_customer_id=7, pinned_at=when)


def fold(
    *claims: Claim, leads: tuple[LeadFacts, ...] = (), deals: tuple[DealFacts, ...] = (),
    owner: CustomerFacts | None = None,
) -> tuple[Done, Match]:  # fmt: skip
    done = resolve(claims, leads, deals, [owner or pinned()])
    return done, done.known[HERE]


class TestLeads:
    def test_an_earlier_payment_of_another_does_not_take_the_lead(self) -> None:
        """DOMAIN M17, M5: it opens a conflict instead."""
        done, owner = fold(claim(1, "cb2", day=0), claim(2, day=2), leads=(its_lead(when=at(2)),))

        assert done.converted == {1: (owner, at(2))}
        assert owner.customer_id == 7
        assert done.known[Payer(1, "cb2")] is not owner
        assert [one.kind for one in done.conflicts] == ["same_email_other_chargebee_id"]

    def test_the_payment_that_converted_it_goes_on_saying_so(self) -> None:
        """DOMAIN V11: results and outcome of an event are its end fact."""
        done, _ = fold(claim(1, day=1), claim(2, day=2), leads=(its_lead(when=at(2)),))

        assert done.results == {1: {}, 2: {"lead_id": 1}}
        assert done.outcomes == {1: "no_change", 2: "converted"}

    def test_one_converted_by_hand_is_the_result_of_no_payment(self) -> None:
        done, owner = fold(claim(1, day=2), leads=(its_lead(),))

        assert done.converted == {1: (owner, at(-9))}
        assert done.results == {1: {}}

    def test_one_that_stood_behind_it_stays_behind_it(self) -> None:
        """DOMAIN M4: it converts for nobody else either."""
        behind = lead(2, partner=2)._replace(superseder_id=1)
        done, _ = fold(claim(1, "cb2", day=3), leads=(its_lead(when=at(2)), behind))

        assert done.superseded == {2: 1}
        assert set(done.converted) == {1}


class TestDeals:
    def test_it_stays_with_its_customer_and_the_payment_goes_on_saying_so(self) -> None:
        """DOMAIN M8, V11: what is found beside it comes behind it."""
        deals = (its_deal(4, at(2)), its_deal(3, at(2)), deal(5, partner=2), its_deal(6, at(3)))
        done, owner = fold(claim(1, day=2), claim(2, day=3), claim(3, day=4), deals=deals)

        assert {key: place[0] for key, place in done.associated.items()} == dict.fromkeys(
            (3, 4, 5, 6), owner
        )
        assert done.results == {1: {"deal_ids": [3, 4, 5]}, 2: {"deal_ids": [6]}, 3: {}}
        assert done.outcomes == {1: "associated", 2: "associated", 3: "no_change"}

    def test_one_associated_by_hand_is_the_result_of_no_payment(self) -> None:
        done, owner = fold(claim(1, day=2), deals=(its_deal(),))

        assert done.associated == {1: (owner, at(-9))}
        assert done.results == {1: {}}

    @pytest.mark.parametrize(
        ("payer", "day", "opened"),
        [("cb2", 1, True), ("cb2", 2, False), ("cb2", 3, False), ("cb1", 1, False)],
    )
    def test_an_earlier_payment_of_another_opens_a_conflict(
        self, payer: str, day: float, opened: bool
    ) -> None:
        """DOMAIN M17: afterwards a conflict is opened; the owner's own payments are none."""
        done, owner = fold(claim(1, payer, day=day), deals=(its_deal(when=at(2)),))

        assert done.associated == {1: (owner, at(2))}
        assert [one.kind for one in done.conflicts] == ["late_payment"] * opened

    def test_a_deal_that_is_not_pinned_goes_to_the_earlier_payment_without_a_conflict(self) -> None:
        """DOMAIN M17."""
        done, _ = fold(claim(1, "cb2", day=1), claim(2, "cb3", day=2), deals=(deal(1),))

        assert done.associated[1][0] is done.known[Payer(1, "cb2")]
        assert done.conflicts == []

    def test_a_later_deal_gives_no_source_to_a_customer_without_one(self) -> None:
        """DOMAIN S1, S5: its rewards are approved, so only a person re-attributes it."""
        done, owner = fold(claim(1), deals=(deal(1, partner=2),), owner=pinned(partner=None))

        assert done.associated[1][0] is owner
        assert (owner.source_partner_id, owner.source_deal_id) == (None, None)


class TestCustomers:
    def test_the_payment_that_linked_it_goes_on_saying_so(self) -> None:
        """DOMAIN M6, V11: at each of its sites."""
        owner = pinned(HERE, THERE, linked_at=at(2))
        claims = claim(1, day=2), claim(2, "cb9", day=2, site=2), claim(3, day=3)
        done, _ = fold(*claims, owner=owner)

        assert done.results == {1: {"linked_existing": True}, 2: {"linked_existing": True}, 3: {}}
        assert done.outcomes == {1: "associated", 2: "associated", 3: "no_change"}

    def test_all_that_one_payment_led_to_is_told_together(self) -> None:
        """DOMAIN V11."""
        leads, deals = (its_lead(1, at(2)),), (its_deal(3, at(2)),)
        done, _ = fold(claim(1, day=2), leads=leads, deals=deals, owner=pinned(linked_at=at(2)))

        assert done.results == {1: {"linked_existing": True, "lead_id": 1, "deal_ids": [3]}}

    def test_of_two_payments_at_one_time_the_first_says_it(self) -> None:
        done, _ = fold(claim(1, day=2), claim(2, day=2), leads=(its_lead(when=at(2)),))

        assert done.results == {1: {"lead_id": 1}, 2: {}}
