"""What people decided about payers and conflicts is decided again in a replay (DOMAIN V10)."""

import pytest

from tests.replay.office import ADA, BOB, Office, statuses, unchanged
from tests.reports.books import payment


class TestDecisions:
    def test_a_payment_attached_by_hand(self, office: Office) -> None:
        """DOMAIN M11, default 2."""
        first = office.add_partner("First")
        lead = office.enter_lead(first, BOB)
        office.play([payment(1), payment(2, day=2)])
        office.attach(payment(1), "lead", lead)
        office.play([payment(3, day=3)])

        assert len(office.rewards()) == 3
        unchanged(office)

    @pytest.mark.parametrize("decision", ["keep", "choose"])
    def test_a_conflict_of_two_partners_decided(self, office: Office, decision: str) -> None:
        """DOMAIN S2, M4."""
        first, second = office.add_partner("First"), office.add_partner("Second")
        office.add_lead(first, ADA)
        office.add_lead(second, ADA)
        office.play([payment(1), payment(2, day=1)])
        if decision == "choose":
            office.resolve("attribution", decision, partner_id=second)
        else:
            office.resolve("attribution", decision)
        office.play([payment(3, day=3)])

        assert statuses(office) == {"pending"}
        unchanged(office)

    def test_a_customer_given_away_before_a_conflict_for_the_same_reason(
        self, office: Office
    ) -> None:
        """DOMAIN M5, S5: what resolving does to customers is not mistaken for it."""
        first, second = office.add_partner("First"), office.add_partner("Second")
        office.add_lead(first, ADA)
        office.play([payment(1), payment(2, day=1, customer="c2")])
        office.reattribute(office.customer_of("c1"), second, retroactive=True)
        office.resolve("same_email_other_chargebee_id", "inherit", reason="by contract")
        office.play([payment(3, day=3, customer="c2")])

        assert len(office.rewards(partner_id=second)) == 3
        unchanged(office)

    def test_customers_entered_by_people_and_one_of_them_chosen(self, office: Office) -> None:
        """DOMAIN M6."""
        first = office.add_partner("First")
        office.enter_customer(BOB, first)
        office.enter_customer(ADA)
        chosen = office.enter_customer(ADA, first)
        office.play([payment(1), payment(2, email=BOB, customer="c2")])
        office.resolve("ambiguous_email", "choose", customer_id=chosen)
        office.play([payment(3, day=3)])

        assert len(office.rewards()) == 3
        unchanged(office)
