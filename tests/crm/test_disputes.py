"""The evidence that a conflict shows to the person who decides it."""

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import Conflict, CustomerFacts, Payer
from tests.builders.chargebee import at
from tests.crm.claims import KEYS, claim, deal, lead, person


class TestConflicts:
    def test_customers_that_share_an_email_are_all_named(self) -> None:
        """DOMAIN M6: the person chooses one of them for the Chargebee customer."""
        done = resolve([claim(1)], [], [], [person(8), person(7), person(9)])

        assert done.conflicts == [
            Conflict(
                "ambiguous_email", "ambiguous_email:1:cb1", ("customer", 7),
                {"customers": [7, 8, 9], "chargebee_customer_id": "cb1"},
            )
        ]  # fmt: skip

    def test_a_second_account_is_named_behind_the_first(self) -> None:
        """DOMAIN M5."""
        done = resolve([claim(1, "cb1"), claim(2, "cb2", day=1)], [lead(4)], [], [])

        assert done.conflicts == [
            Conflict(
                "same_email_other_chargebee_id", "same_email_other_chargebee_id:1:cb2",
                ("lead", 4), {"chargebee_customer_ids": ["cb1", "cb2"]},
            )
        ]  # fmt: skip

    def test_leads_of_two_partners_are_named_the_converted_one_first(self) -> None:
        """DOMAIN M4."""
        leads = [lead(3, partner=1, day=-1), lead(4, partner=2, day=-3), lead(5, partner=2)]
        done = resolve([claim(1)], leads, [], [])

        assert done.conflicts == [
            Conflict("attribution", "attribution:lead:5:leads", ("lead", 5),
                     {"leads": [5, 4, 3], "deals": []})
        ]  # fmt: skip

    def test_deals_of_another_partner_than_the_lead_are_named(self) -> None:
        """DOMAIN S2: those that stood at the payment, up to its very moment."""
        deals = [deal(1, 2, day=0), deal(2, None, day=-1), deal(3, 3, day=0.001)]
        done = resolve([claim(1, day=0)], [lead(4, 1)], deals, [])

        assert done.conflicts == [
            Conflict("attribution", "attribution:lead:4:deals", ("lead", 4),
                     {"leads": [4], "deals": [2, 1]})
        ]  # fmt: skip

    def test_a_late_payment_names_the_customer_that_keeps_the_deal(self) -> None:
        """DOMAIN M17."""
        owner = CustomerFacts(7, KEYS[0], 1, (Payer(1, "cb1"),), pinned=True)
        kept = deal(6)._replace(pinned_customer_id=7, pinned_at=at(2))
        done = resolve([claim(1, "cb2", day=1)], [], [kept], [owner])

        assert done.conflicts == [
            Conflict("late_payment", "late_payment:deal:6:1:cb2", ("deal", 6),
                     {"customers": [7], "chargebee_customer_id": "cb2"})
        ]  # fmt: skip
