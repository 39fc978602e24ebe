"""What invoices claim of caps, one after the other."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.programs.rules import LIFETIME, MONTH, ROLLING, WINDOWS
from rewards_service.rewards.counting import (
    Claim,
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


class TestClaim:
    def test_takes_what_is_left(self) -> None:
        """DOMAIN A10."""
        one, caps = tally("partner"), [cap("partner", MONTH, 500)]

        assert one.claim(slot("a"), "USD", caps, 450, place()) == (450, None)
        assert one.claim(slot("b"), "USD", caps, 80, place()) == (50, caps[0])
        assert one.claim(slot("c"), "USD", caps, 10, place()) == (0, caps[0])
        assert one.claim(slot("d"), "USD", caps, 10, place(FEB)) == (10, None)
        assert one.changed == {slot(name) for name in "abcd"}

    def test_a_reversal_gives_the_room_back(self) -> None:
        """DOMAIN A10."""
        one, caps = tally("partner"), [cap("partner", LIFETIME, 500)]
        one.claim(slot("a"), "USD", caps, 450, place())
        one.claim(slot("b"), "USD", caps, 80, place())
        assert one.freed == set()
        one.claim(slot("a"), "USD", caps, 420, place())

        assert one.freed == {(5, "USD", "partner", 7)}
        assert one.claim(slot("b"), "USD", caps, 80, place()) == (80, None)

    def test_only_a_lower_wish_takes_away(self) -> None:
        """DOMAIN A10: a limit that a new version lowers leaves what was given."""
        one = tally("partner")
        one.claim(slot("a"), "USD", [cap("partner", LIFETIME, 500)], 450, place())
        lower = [cap("partner", LIFETIME, 100)]

        assert one.claim(slot("a"), "USD", lower, 450, place()) == (450, None)
        assert one.claim(slot("a"), "USD", lower, 460, place()) == (450, lower[0])
        assert one.claim(slot("b"), "USD", lower, 10, place()) == (0, lower[0])
        assert one.claim(slot("a"), "USD", lower, 90, place()) == (90, None)

    def test_the_tightest_of_several_caps_binds(self) -> None:
        """DOMAIN A10."""
        one = tally("partner", "customer", "program")
        caps = [
            cap("customer", LIFETIME, 300),
            cap("program", MONTH, 200),
            cap("partner", MONTH, 250),
        ]

        assert one.claim(slot("a"), "USD", caps, 400, place()) == (200, caps[1])

    @pytest.mark.parametrize(
        ("scope", "found"),
        [
            ("customer", [100, 100, 0, 0]),
            ("partner", [100, 0, 100, 0]),
            ("program", [100, 0, 0, 0]),
        ],
    )
    def test_a_scope_is_a_customer_a_partner_or_all(self, scope: str, found: list[int]) -> None:
        """DOMAIN A10."""
        one, caps = tally(scope), [cap(scope, LIFETIME, 100)]
        claims = [("a", 7, 3), ("b", 7, 4), ("c", 8, 3), ("d", 8, 4)]

        assert found == [
            one.claim(slot(name, partner), "USD", caps, 100, place(customer=customer))[0]
            for name, partner, customer in claims
        ]

    def test_a_currency_that_a_cap_does_not_name_has_no_limit(self) -> None:
        one, caps = tally("partner"), [cap("partner", LIFETIME, 1), cap("partner", MONTH, 5, "EUR")]

        assert one.claim(slot("a"), "EUR", caps, 9, place()) == (5, caps[1])
        assert one.claim(slot("b"), "JPY", caps, 9, place()) == (9, None)

    def test_currencies_do_not_use_up_each_others_room(self) -> None:
        one = tally("partner")
        caps = [cap("partner", LIFETIME, 5)._replace(amounts={"EUR": 5, "USD": 5})]
        one.claim(slot("a"), "EUR", caps, 5, place())

        assert one.claim(slot("b"), "USD", caps, 5, place()) == (5, None)

    def test_what_was_given_before_is_loaded(self) -> None:
        one = Tally(load=lambda _: {JAN: 40, FEB: 7}, kinds={5: {"partner"}})
        month, life = [cap("partner", MONTH, 100)], [cap("partner", LIFETIME, 100)]

        assert one.claim(slot("a"), "USD", month, 90, place()) == (60, month[0])
        assert one.claim(slot("b"), "USD", life, 90, place()) == (0, life[0])

    def test_no_change_is_not_stored(self) -> None:
        one, caps = tally("partner"), [cap("partner", MONTH, 500)]
        one.claim(slot("a"), "USD", caps, 450, place())
        one.changed.clear()
        one.claim(slot("a"), "USD", caps, 450, place())
        assert one.changed == set()

    def test_moving_to_another_window_gives_room_there(self) -> None:
        """DOMAIN A10, A12: an earlier payment arrived late, so the invoice counts elsewhere."""
        one, caps = tally("partner"), [cap("partner", MONTH, 100)]
        one.claim(slot("a"), "USD", caps, 100, place(FEB))
        one.claim(slot("b"), "USD", caps, 60, place(JAN))

        assert one.claim(slot("a"), "USD", caps, 100, place(JAN)) == (40, caps[0])
        assert one.freed == {(5, "USD", "partner", 7)}
        assert one.claim(slot("c"), "USD", caps, 100, place(FEB)) == (100, None)

    def test_a_late_claim_is_held_against_windows_that_look_back_on_it(self) -> None:
        """DOMAIN A10: no twelve months hold more than the limit, also when the log is late."""
        one, caps = tally("partner"), [cap("partner", ROLLING, 100)]
        one.claim(slot("a"), "USD", caps, 70, place(FEB))

        assert one.claim(slot("b"), "USD", caps, 50, place(JAN)) == (30, caps[0])
        assert one.claim(slot("c"), "USD", caps, 50, place(date(2025, 2, 15))) == (50, None)
        assert one.claim(slot("d"), "USD", caps, 50, place(date(2027, 2, 14))) == (30, caps[0])

    @given(
        st.sampled_from(WINDOWS),
        st.sampled_from(["customer", "partner", "program"]),
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 120), st.integers(0, 800),
                      st.integers(0, 1), st.integers(0, 1)),
            max_size=25,
        ),
    )  # fmt: skip
    def test_never_more_than_the_limit_and_never_taken_away(
        self, name: str, scope: str, wishes: list[tuple[int, int, int, int, int]]
    ) -> None:
        """DOMAIN A10."""
        one, caps = tally(scope), [cap(scope, name, 100)]
        known: dict[int, tuple[Slot, Place]] = {}
        for number, wanted, day, partner, customer in wishes:
            key = known.setdefault(number, (slot(str(number), partner),
                                            place(JAN + timedelta(day), customer)))  # fmt: skip
            before = one.claims.get(key[0], Claim(0, 0, JAN))
            given_now, by = one.claim(key[0], "USD", caps, wanted, key[1])
            assert min(before.given_minor, wanted) <= given_now <= wanted
            assert (by is None) == (given_now == wanted)
            assert one.claims[key[0]] == Claim(wanted, given_now, key[1].counted_on)
        for some_slot, some_place in known.values():
            group = scope_of(some_slot, "USD", scope, some_place)
            period = window(name, some_place.counted_on)
            given_there = sum(
                one.claims[s].given_minor for s, p in known.values()
                if scope_of(s, "USD", scope, p) == group and period.has(p.counted_on)
            )  # fmt: skip
            assert given_there <= 100
