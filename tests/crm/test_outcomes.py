"""How a payment ends when no transaction is wanted of it (DOMAIN M12, V11)."""

from collections.abc import Sequence

import pytest

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import Claim, CustomerFacts, DealFacts, LeadFacts
from tests.crm.claims import KEYS, claim, deal, lead, person


def ends(
    *claims: Claim, leads: Sequence[LeadFacts] = (), deals: Sequence[DealFacts] = (),
    customers: Sequence[CustomerFacts] = (),
) -> str:  # fmt: skip
    """The outcome of the last of some payments."""
    return resolve(claims, leads, deals, customers).outcomes[claims[-1].event]


class TestUnknownPayer:
    @pytest.mark.parametrize(
        ("leads", "deals", "customers", "expected"),
        [
            ([lead(1)], [], [], "converted"),
            ([lead(1)], [deal(1)], [], "converted"),
            ([], [deal(1)], [], "associated"),
            ([], [], [person(7)], "associated"),
            ([lead(1)], [], [person(7)], "converted"),
            ([], [], [], "no_lead"),
            ([lead(1, status="lost")], [deal(1, stage="lost")], [], "no_lead"),
            ([], [], [person(7), person(8)], "no_lead"),
        ],
    )
    def test_what_was_found_first_is_the_outcome(
        self, leads: list[LeadFacts], deals: list[DealFacts], customers: list[CustomerFacts],
        expected: str,
    ) -> None:  # fmt: skip
        """DOMAIN M9, V11."""
        assert ends(claim(1), leads=leads, deals=deals, customers=customers) == expected

    def test_where_only_deals_are_looked_for_none_is_found(self) -> None:
        """DOMAIN M12: a lead that nobody asked for is no reason."""
        assert ends(claim(1, convert_lead=False), leads=[lead(1)]) == "no_deal"

    def test_a_payment_without_an_email_says_so(self) -> None:
        """DOMAIN E1."""
        assert ends(claim(1, key=None), leads=[lead(1)], deals=[deal(1)]) == "no_email"

    def test_a_second_account_of_a_leads_email_changes_nothing(self) -> None:
        """DOMAIN M5: it becomes a customer, but converts and associates nothing."""
        assert ends(claim(1, "cb1"), claim(2, "cb2", day=1), leads=[lead(1)]) == "no_change"


class TestKnownPayer:
    @pytest.mark.parametrize(("both", "expected"), [(True, "no_change"), (False, "no_deal")])
    def test_without_a_deal_it_depends_on_what_is_looked_for(
        self, both: bool, expected: str
    ) -> None:
        """DOMAIN M3, M12: the lead step does not run for who is known."""
        later = claim(2, day=1, convert_lead=both)

        assert ends(claim(1), later, leads=[lead(1)]) == expected

    def test_one_whose_deals_are_associated_already_changes_nothing(self) -> None:
        """DOMAIN M7."""
        claims = claim(1, convert_lead=False), claim(2, day=1, convert_lead=False)

        assert ends(*claims, deals=[deal(1), deal(2, stage="lost")]) == "no_change"

    def test_a_deal_that_another_payer_has_is_no_deal_of_its(self) -> None:
        """DOMAIN M8."""
        known = claim(1, "cb1", key=KEYS[1])
        claims = known, claim(2, "cb2"), claim(3, "cb1", day=1, convert_lead=False)

        assert ends(*claims, leads=[lead(1, email=KEYS[1])], deals=[deal(1)]) == "no_deal"

    def test_without_an_email_there_is_nothing_to_look_for(self) -> None:
        """DOMAIN E1, M2."""
        later = claim(2, key=None, day=1, convert_lead=False)

        assert ends(claim(1), later, leads=[lead(1)]) == "no_change"

    def test_where_deals_are_not_looked_for_there_is_nothing_to_miss(self) -> None:
        """DOMAIN M12."""
        later = claim(2, day=1, convert_lead=False, associate_deal=False)

        assert ends(claim(1), later, leads=[lead(1)]) == "no_change"

    def test_a_new_deal_is_associated(self) -> None:
        """DOMAIN M7: also with a customer that is known."""
        assert ends(claim(1), claim(2, key=KEYS[1], day=1), leads=[lead(1)],
                    deals=[deal(1, email=KEYS[1])]) == "associated"  # fmt: skip
