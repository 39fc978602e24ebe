"""Places, metrics and what a release gives back."""

from datetime import date

from hypothesis import strategies as st

from rewards_service.programs.rules import LIFETIME, MONTH
from rewards_service.rewards.counting import (
    NEW_CUSTOMER,
    Claim,
    Measured,
    Place,
    Slot,
    Tally,
    scope_of,
    window,
)
from tests.rewards.book import cap

days = st.dates(date(2023, 1, 1), date(2029, 12, 31))
JAN = date(2026, 1, 15)
FEB = date(2026, 2, 15)


def slot(name: str, partner: int = 7) -> Slot:
    return (1, name), 5, partner


def place(day: date = JAN, customer: int = 3, ordinal: int = 1) -> Place:
    return Place(1, customer, day, day, day, ordinal, 0)


def tally(*kinds: str) -> Tally:
    return Tally(kinds={5: set(kinds)})


class TestPlaces:
    def test_an_invoice_counts_once_whoever_is_paid_for_it(self) -> None:
        """DOMAIN A11: distinct rewarded invoices, also when two partners are paid apart."""
        one = tally()
        one.count(slot("a", partner=7), place())
        one.count(slot("a", partner=8), place())

        assert one.ordinal(5, 3, (1, "a")) == 1
        assert one.ordinal(5, 3, (1, "b")) == 2

    def test_other_rules_and_customers_count_apart(self) -> None:
        one = tally()
        one.count(slot("a"), place())

        assert one.ordinal(5, 4, (1, "b")) == 1
        assert one.ordinal(6, 3, (1, "b")) == 1

    def test_the_first_date_is_the_earliest(self) -> None:
        """DOMAIN A11."""
        one = tally()
        assert one.first_on(5, 3, FEB) == FEB
        one.count(slot("a"), place(JAN))

        assert one.first_on(5, 3, FEB) == JAN
        assert one.first_on(5, 3, date(2025, 1, 1)) == date(2025, 1, 1)

    def test_only_what_changed_is_stored(self) -> None:
        one = tally()
        one.count(slot("a"), place())
        assert one.changed == {slot("a")}
        one.changed.clear()
        one.count(slot("a"), place())
        assert one.changed == set()
        one.count(slot("a"), place(FEB))
        assert one.changed == {slot("a")}
        assert one.places[slot("a")] == place(FEB)


class TestMeasure:
    def test_a_source_is_brought_to_what_it_adds_in_all(self) -> None:
        """DOMAIN A9, A4: the difference is added, on the day it is known for."""
        one = tally()
        assert one.measure(slot("a"), "USD", "txn", 100, 1, JAN) == 100
        assert one.measure(slot("a"), "USD", "txn", 100, 2, JAN) == 0
        assert one.measure(slot("a"), "USD", "txn", 60, 3, FEB) == -40

        assert one.entries == [
            Measured(slot("a"), "USD", "txn", 1, JAN, 100),
            Measured(slot("a"), "USD", "txn", 3, FEB, -40),
        ]
        assert one.measured(5, 7, "USD", window(MONTH, JAN)) == 100
        assert one.measured(5, 7, "USD", window(MONTH, FEB)) == -40
        assert one.measured(5, 7, "USD", window(LIFETIME, FEB)) == 60

    def test_partners_rules_and_currencies_are_apart(self) -> None:
        one = tally()
        one.measure(slot("a"), "USD", "txn", 100, 1, JAN)
        period = window(LIFETIME, JAN)

        found = [
            one.measured(*key, period) for key in ((5, 8, "USD"), (6, 7, "USD"), (5, 7, "EUR"))
        ]
        assert found == [0, 0, 0]

    def test_what_an_invoice_itself_added_is_known_by_window(self) -> None:
        one = tally()
        one.measure(slot("a"), "USD", "txn", 100, 1, JAN)
        one.measure(slot("a"), "USD", "other", 30, 1, FEB)
        one.measure(slot("b"), "USD", "txn", 7, 1, FEB)

        assert one.own(slot("a"), window(MONTH, FEB)) == 30
        assert one.own(slot("a"), window(LIFETIME, FEB)) == 130


class TestRelease:
    def test_gives_back_what_was_counted_on_the_days_it_was(self) -> None:
        """DOMAIN A9: otherwise the months would not add up."""
        one = tally("partner")
        one.count(slot("a"), place())
        one.measure(slot("a"), "USD", "txn", 100, 1, JAN)
        one.measure(slot("a"), "USD", "txn_2", 50, 2, FEB)
        one.measure(slot("a"), "", NEW_CUSTOMER, 1, 1, JAN)
        one.claim(slot("a"), "USD", [cap("partner", MONTH, 500)], 10, place())
        one.release(slot("a"), "USD")

        assert one.measured(5, 7, "USD", window(MONTH, JAN)) == 0
        assert one.measured(5, 7, "USD", window(MONTH, FEB)) == 0
        assert one.measured(5, 7, "", window(LIFETIME, JAN)) == 0
        assert one.claims[slot("a")] == Claim(0, 0, JAN)
        assert one.freed == {(5, "USD", "partner", 7)}
        assert [entry.log_id for entry in one.entries[3:]] == [1, 1, 1]
        size = len(one.entries)
        one.release(slot("a"), "USD")
        assert len(one.entries) == size

    def test_what_was_never_placed_has_nothing_to_give(self) -> None:
        one = tally("partner")
        one.measure(slot("a"), "USD", "txn", 100, 1, JAN)
        one.release(slot("a"), "USD")

        assert one.measured(5, 7, "USD", window(LIFETIME, JAN)) == 100

    def test_a_place_without_a_claim_makes_none(self) -> None:
        one = tally("partner")
        one.count(slot("a"), place())
        one.release(slot("a"), "USD")

        assert one.claims == {}


class TestScopeOf:
    def test_names_the_member(self) -> None:
        found = [scope_of(slot("a"), "USD", kind, place()) for kind in
                 ("customer", "partner", "program")]  # fmt: skip

        assert found == [(5, "USD", "customer", 3), (5, "USD", "partner", 7),
                         (5, "USD", "program", 0)]  # fmt: skip
