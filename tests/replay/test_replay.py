"""Rebuilding everything from the event log finds what stands in the live tables (DOMAIN V10)."""

from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer
from tests.replay.office import ADA, BOB, Office, statuses, unchanged
from tests.reports import sample
from tests.reports.books import event, payment, refund


class TestReplay:
    def test_payments_refunds_and_quarantined_events(self, office: Office) -> None:
        """DOMAIN V10."""
        sample.play(office)
        outcome = office.replay()

        assert (outcome.differences, outcome.events) == ([], sample.EVENTS)
        assert outcome.totals == [{"currency": "USD", "status": "pending", "amount_minor": 1800}]

    def test_in_any_order_of_arrival(self, office: Office) -> None:
        """DOMAIN V10, M15, M17."""
        office.add_lead(office.add_partner("First"), ADA)
        history = [payment(1), refund(1, 1500, of=1), payment(2, customer="c2", day=-3)]
        for number, order in enumerate(permutations(history)):
            for told in order:
                office.play([_renamed(told, number)])

        unchanged(office)

    def test_what_was_ignored_when_it_came_stays_without_effect(self, office: Office) -> None:
        """Of a type that is followed since: its invoice would let the payment earn (M18, V10)."""
        office.add_lead(office.add_partner("First"), ADA)
        paid = payment(1)
        bill = paid["content"].pop("invoice")
        office.play([paid])
        bought = {"id": "s", "object": "subscription", "customer_id": "c1"}
        told = {"subscription": bought, "invoice": bill}
        office.send([event("subscription_renewed", "ev_s", 1_767_000_000, told)])
        office.change(
            "UPDATE received_events SET state = 'done', outcome = 'ignored', "
            "finished_at = received_at WHERE event_id = 'ev_s'"
        )

        unchanged(office)

    def test_a_rule_changed_in_between(self, office: Office) -> None:
        """DOMAIN A12."""
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1)])
        office.change_rule(rate=500_000, effective_from=None)
        office.play([payment(2, day=2), refund(1, 1000, of=1)])

        unchanged(office)

    def test_a_rule_that_did_not_exist_yet(self, office: Office) -> None:
        office.add_lead(office.add_partner("First"), ADA)
        office.change("UPDATE partners SET name = 'Other'")
        office.play([payment(1)])
        office.change_rule(rate=100_000)
        office.play([payment(2, day=400)])

        unchanged(office)

    def test_a_partner_paused_enrolled_and_renamed(self, office: Office) -> None:
        """DOMAIN S4."""
        first = office.add_partner("First")
        office.add_lead(first, ADA)
        office.play([payment(1)])
        office.change_partner(first, status="paused", name="Other")
        office.play([payment(2, day=2)])
        office.change_partner(first, status="active", program_ids=[])
        office.play([payment(3, day=3), refund(1, 500, of=1)])
        office.change_partner(first, program_ids=[office.program_id])
        office.play([payment(4, day=4)])

        unchanged(office)

    def test_a_lead_entered_after_the_payment(self, office: Office) -> None:
        """DOMAIN M16."""
        first = office.add_partner("First")
        office.play([payment(1)])
        office.enter_lead(first, ADA)
        assert office.rewards() == []
        office.play([payment(2, day=2)])

        assert office.rewards() != []
        unchanged(office)

    def test_a_lead_whose_address_was_corrected(self, office: Office) -> None:
        first = office.add_partner("First")
        lead = office.enter_lead(first, BOB)
        other = office.enter_lead(first, "nobody@asks.example")
        office.play([payment(1)])
        office.correct_lead(lead, email=ADA)
        office.correct_lead(other, email=BOB)
        office.play([payment(2, day=1), payment(3, email=BOB, customer="c2")])

        assert len(office.rewards()) == 3
        unchanged(office)

    def test_a_lead_entered_and_corrected_after_a_payment_had_asked_for_it(
        self, office: Office
    ) -> None:
        first, second = office.add_partner("First"), office.add_partner("Second")
        lead = office.enter_lead(first, BOB)
        office.play([payment(1)])
        office.attach(payment(1), "lead", lead)
        other = office.enter_lead(second, ADA)
        office.correct_lead(other, email="elsewhere@two.example")
        office.play([payment(2, day=2)])

        assert len(office.rewards(partner_id=first)) == 2
        unchanged(office)

    def test_an_event_handled_again_after_its_lead_was_entered(self, office: Office) -> None:
        """DOMAIN M16: the payer's other payment follows."""
        first = office.add_partner("First")
        office.play([payment(1), payment(2, day=2)])
        office.enter_lead(first, ADA)
        office.handle_again(payment(1))

        assert len(office.rewards()) == 2
        unchanged(office)

    def test_reviewed_adjusted_and_paid_out(self, office: Office) -> None:
        """DOMAIN V2, V4, V6."""
        first = office.add_partner("First")
        office.add_lead(first, ADA)
        office.play([payment(number, day=number) for number in range(1, 6)])
        one, two, three, four, five = office.rewards()
        office.move("approved", one, two, three)
        office.move("hold", three, four)
        office.move("declined", five)
        office.adjust(one, 250)
        office.pay_out()
        office.play([refund(1, 4500, of=1, day=30), refund(5, 100, of=5, day=31)])
        office.adjust(two, -1000)
        office.move("pending", four)
        office.play([refund(4, 4500, of=4, day=32)])
        office.move("approved", *office.rewards(status="pending"))

        assert {"paid", "approved", "declined"} <= statuses(office)
        unchanged(office)

    @pytest.mark.parametrize("retroactive", [True, False])
    def test_a_customer_given_to_another_partner(self, office: Office, retroactive: bool) -> None:
        """DOMAIN S5."""
        first, second = office.add_partner("First"), office.add_partner("Second")
        office.add_lead(first, ADA)
        office.add_lead(first, BOB)
        office.play([payment(1, email=BOB, customer="c0"), payment(2), payment(3, day=1)])
        with Session(office.engine) as session:
            customer = session.scalars(select(Customer.id).where(Customer.email == ADA)).one()
        office.reattribute(customer, second, retroactive)
        office.play([payment(4, day=5), refund(2, 500, of=2)])

        assert office.rewards(partner_id=second) != []
        unchanged(office)

    def test_a_reward_approved_when_nothing_was_left_of_it(self, office: Office) -> None:
        """DOMAIN V3, A4."""
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1), refund(1, 4500, of=1)])
        office.move("approved", *office.rewards())
        office.play([{**refund(1, 4500, of=1, day=11), "id": "ev_late", **failed_refund()}])

        assert statuses(office) == {"approved"}
        unchanged(office)


def failed_refund() -> dict[str, object]:
    """The refund of `refund(1, 4500, of=1)`, as a later version says: it failed."""
    event = refund(1, 4500, of=1, day=11)
    event["content"]["transaction"]["status"] = "failure"
    return {"content": event["content"], "event_type": "transaction_updated"}


def _renamed(event: dict[str, object], number: int) -> dict[str, object]:
    return {**event, "id": f"{event['id']}_{number}"}
