from collections.abc import Sequence

import pytest

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import (
    Claim,
    CustomerFacts,
    DealFacts,
    LeadFacts,
    Match,
    Payer,
    Resolution,
)
from tests.builders.chargebee import at
from tests.crm.claims import KEYS, claim, deal, lead, person


def fold(
    *claims: Claim,
    leads: Sequence[LeadFacts] = (),
    deals: Sequence[DealFacts] = (),
    customers: Sequence[CustomerFacts] = (),
) -> Resolution:
    return resolve(claims, leads, deals, customers)


def owner(done: Resolution, payer: str = "cb1", site: int = 1) -> Match:
    return done.known[Payer(site, payer)]


def conflicts(done: Resolution) -> list[str]:
    return sorted(conflict.kind for conflict in done.conflicts)


class TestLeads:
    def test_the_first_registered_of_several_converts(self) -> None:
        """DOMAIN M4: lowest (registered_at, id); the others stay open behind it."""
        done = fold(claim(1), leads=[lead(3, day=-5), lead(2, day=-5), lead(1, day=-4)])

        assert set(done.converted) == {2}
        assert done.superseded == {3: 2, 1: 2}
        assert conflicts(done) == []

    def test_another_partner_among_them_is_a_conflict(self) -> None:
        """DOMAIN M4."""
        done = fold(claim(1), leads=[lead(1, partner=1), lead(2, partner=2)])

        assert conflicts(done) == ["attribution"]
        assert owner(done).source_partner_id == 1
        assert owner(done).hold_reason == "conflict"

    def test_a_lead_registered_in_the_moment_of_the_payment_counts(self) -> None:
        """DOMAIN M3."""
        assert set(fold(claim(1, day=0), leads=[lead(1, day=0)]).converted) == {1}
        assert fold(claim(1, day=0), leads=[lead(1, day=0.0001)]).known == {}

    def test_a_pending_lead_converts_on_hold(self) -> None:
        """DOMAIN defaults 1."""
        assert (
            owner(fold(claim(1), leads=[lead(1, status="pending")])).hold_reason == "lead_pending"
        )

    def test_a_second_payment_of_the_customer_converts_nothing(self) -> None:
        """DOMAIN M2, M3: only for who is not known yet."""
        later = lead(2, partner=2, day=1)
        done = fold(claim(1, day=0), claim(2, day=2), leads=[lead(1), later])

        assert set(done.converted) == {1}
        assert done.outcomes[2] == "no_change"

    def test_a_second_account_gets_a_customer_without_source(self) -> None:
        """DOMAIN M5: an e-mail with two Chargebee ids is not free money."""
        done = fold(claim(1, "cb1"), claim(2, "cb2", day=1), leads=[lead(1)])

        assert owner(done, "cb2") is not owner(done, "cb1")
        assert owner(done, "cb2").source_partner_id is None
        assert conflicts(done) == ["same_email_other_chargebee_id"]

    def test_a_second_site_gives_its_id_to_the_same_customer(self) -> None:
        """DOMAIN M5: the customer has no id of this site yet."""
        done = fold(claim(1, "cb1"), claim(2, "cb9", day=1, site=2), leads=[lead(1)])

        assert owner(done, "cb9", site=2) is owner(done, "cb1")
        assert done.results[2] == {"linked_existing": True}
        assert conflicts(done) == []

    def test_the_payment_that_happened_first_has_the_lead(self) -> None:
        """DOMAIN M17."""
        done = fold(claim(1, "cb1", day=5), claim(2, "cb2", day=3), leads=[lead(1)])

        assert done.converted[1] == (owner(done, "cb2"), at(3))

    def test_of_two_emails_of_one_payer_the_earlier_payment_decides(self) -> None:
        """DOMAIN M16."""
        leads = [lead(1, partner=1), lead(2, partner=2, email=KEYS[1])]
        done = fold(claim(1, key=KEYS[0], day=5), claim(2, key=KEYS[1], day=3), leads=leads)

        assert set(done.converted) == {2}
        assert owner(done).source_partner_id == 2


class TestCustomersMadeByPeople:
    def test_exactly_one_gets_the_id(self) -> None:
        """DOMAIN M6."""
        done = fold(claim(1), customers=[person(7, partner=3)])

        assert (owner(done).customer_id, owner(done).source_partner_id) == (7, 3)
        assert done.results[1] == {"linked_existing": True}

    def test_of_several_none_gets_it(self) -> None:
        """DOMAIN M6."""
        around = {"leads": [lead(1)], "deals": [deal(1)], "customers": [person(7), person(8)]}
        done = fold(claim(1), **around)  # type: ignore[arg-type]

        assert (done.known, done.converted, done.associated) == ({}, {}, {})
        assert conflicts(done) == ["ambiguous_email"]

    def test_its_own_source_is_never_overwritten(self) -> None:
        """DOMAIN S1: first wins."""
        done = fold(claim(1), leads=[lead(1, partner=1)], customers=[person(7, partner=3)])

        assert set(done.converted) == {1}
        assert (owner(done).customer_id, owner(done).source_partner_id) == (7, 3)

    def test_an_email_never_overrides_an_id(self) -> None:
        """DOMAIN M2."""
        linked = CustomerFacts(7, KEYS[1], 3, (Payer(1, "cb1"),))
        done = fold(claim(1, key=KEYS[0]), leads=[lead(1)], customers=[linked, person(8)])

        assert owner(done).customer_id == 7
        assert done.converted == {}


class TestKnownSince:
    @pytest.mark.parametrize(
        ("leads", "deals"), [([lead(1)], []), ([], [deal(1)]), ([lead(1)], [deal(1)])]
    )
    def test_a_new_customer_is_known_by_the_payment_that_made_it(
        self, leads: list[LeadFacts], deals: list[DealFacts]
    ) -> None:
        """DOMAIN M3, M7: its name and e-mail are those of the earliest payment."""
        first, later = claim(2, day=1, name="Ada"), claim(1, day=3, name="Ada L.")
        done = fold(later, first, leads=leads, deals=deals)

        assert (owner(done).made_by, owner(done).matched_at) == (first, at(1))

    def test_a_second_account_is_known_by_its_own_payment(self) -> None:
        """DOMAIN M5."""
        second = claim(2, "cb2", day=1)
        done = fold(claim(1, "cb1"), second, leads=[lead(1)])

        assert (owner(done, "cb2").made_by, owner(done, "cb2").matched_at) == (second, at(1))

    def test_a_second_site_makes_no_other_customer_of_it(self) -> None:
        """DOMAIN M5: its newest id came with the payment at the second site."""
        first = claim(1, "cb1")
        done = fold(first, claim(2, "cb9", day=1, site=2), leads=[lead(1)])

        assert (owner(done).made_by, owner(done).matched_at) == (first, at(1))

    @pytest.mark.parametrize("leads", [[], [lead(1)]])
    def test_a_customer_made_by_people_is_known_since_it_was_linked(
        self, leads: list[LeadFacts]
    ) -> None:
        """DOMAIN M6: the machine made nothing; name and e-mail stay as people wrote them."""
        done = fold(claim(1, day=1), claim(2, day=2), leads=leads, customers=[person(7)])

        assert (owner(done).made_by, owner(done).matched_at) == (None, at(1))


class TestDeals:
    def test_all_are_associated_and_the_earliest_names_the_source(self) -> None:
        """DOMAIN M7, S1: earliest (registered_at, id)."""
        deals = [deal(3, partner=3, day=-1), deal(2, partner=2, day=-5, stage="won"),
                 deal(1, partner=1, day=-4)]  # fmt: skip
        done = fold(claim(1), deals=deals)

        assert set(done.associated) == {1, 2, 3}
        assert (owner(done).source_partner_id, owner(done).source_deal_id) == (2, 2)
        assert conflicts(done) == []

    @pytest.mark.parametrize("stage", ["lost", "archived"])
    def test_closed_ones_make_no_customer(self, stage: str) -> None:
        """DOMAIN M7."""
        done = fold(claim(1, convert_lead=False), deals=[deal(1, stage=stage)])

        assert done.known == {}
        assert done.outcomes[1] == "no_deal"

    def test_a_known_customer_keeps_its_source(self) -> None:
        """DOMAIN M7, S1: later matches never overwrite."""
        later = deal(1, partner=2, email=KEYS[1])
        done = fold(claim(1), claim(2, key=KEYS[1], day=1), leads=[lead(1)], deals=[later])

        assert done.associated[1] == (owner(done), at(1))
        assert owner(done).source_partner_id == 1

    def test_a_deal_of_another_customer_is_never_repointed(self) -> None:
        """DOMAIN M8."""
        done = fold(claim(1, "cb1"), claim(2, "cb2", day=1), deals=[deal(1)])

        assert done.associated[1][0] is owner(done, "cb1")
        assert Payer(1, "cb2") not in done.known

    def test_the_lead_comes_first_and_the_deal_follows_it(self) -> None:
        """DOMAIN M9, S1."""
        done = fold(claim(1), leads=[lead(1, partner=1)], deals=[deal(1, partner=1, day=-20)])

        assert done.results[1] == {"lead_id": 1, "deal_ids": [1]}
        assert done.associated[1][0] is done.converted[1][0]
        assert (owner(done).source_lead_id, owner(done).source_deal_id) == (1, None)
        assert conflicts(done) == []

    @pytest.mark.parametrize(("first_wins", "reason"), [(False, "conflict"), (True, None)])
    def test_lead_and_deal_of_two_partners_are_a_conflict(
        self, first_wins: bool, reason: str | None
    ) -> None:
        """DOMAIN S2: the lead's partner is the source; rewards wait, unless first wins."""
        done = fold(claim(1, first_wins=first_wins), leads=[lead(1, 1)], deals=[deal(1, 2)])

        assert owner(done).source_partner_id == 1
        assert owner(done).hold_reason == reason
        assert conflicts(done) == ["attribution"]

    def test_a_lead_of_nobody_leaves_the_source_to_the_deal(self) -> None:
        """DOMAIN S1."""
        done = fold(claim(1), leads=[lead(1, partner=None)], deals=[deal(1, partner=2)])

        assert owner(done).source_partner_id == 2
        assert conflicts(done) == []


class TestSwitches:
    def test_each_does_its_own_part_only(self) -> None:
        """DOMAIN M12."""
        leads, deals = [lead(1)], [deal(1)]
        without_lead = fold(claim(1, convert_lead=False), leads=leads, deals=deals)
        without_deal = fold(claim(1, associate_deal=False), leads=leads, deals=deals)

        assert (set(without_lead.converted), set(without_lead.associated)) == (set(), {1})
        assert (set(without_deal.converted), set(without_deal.associated)) == ({1}, set())

    def test_without_an_email_nothing_matches(self) -> None:
        """DOMAIN E1: never an empty key."""
        around = {"leads": [lead(1, email="")], "deals": [deal(1, email="")]}
        for key in (None, ""):
            done = fold(claim(1, key=key), **around)  # type: ignore[arg-type]
            assert (done.known, done.converted) == ({}, {})
            assert key is not None or done.outcomes == {1: "no_email"}
