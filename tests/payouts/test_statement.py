"""The arithmetic of payouts, over whatever rewards and rates there may be."""

import re
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.money import MAX_AMOUNT
from rewards_service.payouts.statement import (
    BELOW_THRESHOLD,
    NEGATIVE_BALANCE,
    NOTHING_DUE,
    TOO_LARGE,
    Due,
    Statement,
    convert,
    draw_up,
    exact_rate,
    exact_text,
    invert_rate,
    mean_rate,
    parse_decimal_rate,
    threshold_of,
)

CUT_OFF = date(2026, 4, 1)
EARLY, LATE = CUT_OFF, CUT_OFF + timedelta(days=1)

amounts = st.integers(-(10**9), 10**9)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
dues = st.lists(st.tuples(amounts, days), max_size=30).map(
    lambda rows: [Due(key, amount, day) for key, (amount, day) in enumerate(rows, start=1)]
)
rates = st.decimals("0.000001", "999999", places=6).map(lambda value: f"{value:f}")
lines = st.lists(st.tuples(amounts, rates), min_size=1, max_size=20)


class TestDrawUp:
    @given(dues, st.integers(0, 10**6))
    def test_never_pays_nothing_or_less_nor_below_the_threshold(
        self, rewards: list[Due], threshold: int
    ) -> None:
        """DOMAIN V4, V6."""
        statement = draw_up(rewards, CUT_OFF, threshold)

        if statement.left_out is None:
            assert statement.total_minor > 0
            assert statement.total_minor >= threshold
        else:
            assert statement.lines == []
            assert statement.total_minor < max(threshold, 1)

    @given(dues)
    def test_the_total_is_the_sum_of_the_lines(self, rewards: list[Due]) -> None:
        """DOMAIN V6; partner-programs 3, pain 12: statements that disagree with money."""
        statement = draw_up(rewards, CUT_OFF)
        summed = [
            due.amount_minor
            for due in rewards
            if due.amount_minor < 0 or due.available_on <= CUT_OFF
        ]

        assert statement.total_minor == sum(summed)
        if statement.left_out is None:
            assert sum(line.amount_minor for line in statement.lines) == statement.total_minor
            assert all(line.amount_minor for line in statement.lines)

    @given(dues, st.randoms(use_true_random=False))
    def test_the_order_of_rewards_and_clawbacks_does_not_matter(
        self, rewards: list[Due], random: object
    ) -> None:
        """DOMAIN V4."""
        shuffled = list(rewards)
        random.shuffle(shuffled)  # type: ignore[attr-defined]

        assert draw_up(shuffled, CUT_OFF, 100) == draw_up(rewards, CUT_OFF, 100)

    def test_takes_what_is_available_on_the_cut_off_and_not_a_day_later(self) -> None:
        """DOMAIN V6."""
        statement = draw_up([Due(1, 100, EARLY), Due(2, 50, LATE)], CUT_OFF)

        assert [line.reward_id for line in statement.lines] == [1]

    def test_takes_back_debts_whenever_they_fall_due(self) -> None:
        """DOMAIN V4."""
        statement = draw_up([Due(1, 100, EARLY), Due(2, -30, LATE)], CUT_OFF)

        assert (statement.total_minor, len(statement.lines)) == (70, 2)

    @pytest.mark.parametrize(
        ("amounts", "reason"),
        [
            ([], NOTHING_DUE), ([5, -5], NOTHING_DUE), ([100, -101], NEGATIVE_BALANCE),
            ([499], BELOW_THRESHOLD), ([1], BELOW_THRESHOLD), ([MAX_AMOUNT, 1], TOO_LARGE),
        ],
    )  # fmt: skip
    def test_says_why_there_is_none_and_what_it_would_have_been(
        self, amounts: list[int], reason: str
    ) -> None:
        """DOMAIN V4, V6."""
        rewards = [Due(key, amount, EARLY) for key, amount in enumerate(amounts)]

        assert draw_up(rewards, CUT_OFF, 500) == Statement([], sum(amounts), reason)

    @pytest.mark.parametrize(("amount", "threshold"), [(500, 500), (1, 1), (1, 0), (MAX_AMOUNT, 0)])
    def test_what_reaches_the_threshold_is_paid(self, amount: int, threshold: int) -> None:
        """DOMAIN V6: up to what a database can hold."""
        due = Due(1, amount, EARLY)

        assert draw_up([due], CUT_OFF, threshold) == Statement([due], amount, None)

    def test_without_a_threshold_the_smallest_amount_is_paid(self) -> None:
        assert draw_up([Due(1, 1, EARLY)], CUT_OFF).left_out is None

    def test_a_reward_that_came_to_nothing_is_no_line(self) -> None:
        """DOMAIN V6."""
        statement = draw_up([Due(1, 0, EARLY), Due(2, 0, LATE), Due(3, 7, EARLY)], CUT_OFF)

        assert [line.reward_id for line in statement.lines] == [3]


class TestConvert:
    @given(lines)
    def test_the_parts_sum_to_the_total_and_each_is_within_a_unit_of_its_exact_value(
        self, given_lines: list[tuple[int, str]]
    ) -> None:
        """DOMAIN V7, A6."""
        conversion = convert(given_lines, "USD", "EUR")

        assert sum(conversion.parts) == conversion.total_minor
        for part, (amount, rate) in zip(conversion.parts, given_lines, strict=True):
            assert abs(part - amount * exact_rate(rate)) < 2
        assert abs(conversion.total_minor - conversion.exact_minor) <= Fraction(1, 2)

    def test_it_rounds_once_and_half_to_even(self) -> None:
        """DOMAIN V7, A5: two halves are one whole, not two roundings."""
        assert convert([(1, "0.5"), (1, "0.5")], "USD", "EUR").total_minor == 1
        assert convert([(5, "0.5")], "USD", "EUR").total_minor == 2
        assert convert([(7, "0.5")], "USD", "EUR").total_minor == 4
        assert convert([(1, "0.5"), (1, "0.5")], "USD", "EUR").parts == [1, 0]

    def test_the_unit_that_is_left_goes_to_the_largest_remainder(self) -> None:
        """DOMAIN A6, V7: of 0.3 and 0.9, together 1; below 0 too."""
        assert convert([(1, "0.3"), (1, "0.9")], "USD", "EUR").parts == [0, 1]
        assert convert([(-1, "0.3"), (-1, "0.9")], "USD", "EUR").parts == [0, -1]

    @pytest.mark.parametrize(
        ("amount", "pair", "rate", "expected"),
        [
            (1_000, ("JPY", "USD"), "0.0065", 650),
            (650, ("USD", "JPY"), "153.85", 1_000),
            (1_234, ("KWD", "EUR"), "3", 370),
            (100, ("EUR", "KWD"), "0.333", 333),
        ],
    )
    def test_rates_are_units_for_units_whatever_the_minor_unit(
        self, amount: int, pair: tuple[str, str], rate: str, expected: int
    ) -> None:
        """DOMAIN A1, V7; partner-programs 3, pain 8: zero-decimal currencies."""
        assert convert([(amount, rate)], *pair).total_minor == expected


class TestRates:
    @pytest.mark.parametrize("text", ["1.0842", "0.000000000001", "999999999999"])
    def test_a_rate_is_exact_and_so_is_its_inverse(self, text: str) -> None:
        assert parse_decimal_rate(text) == Fraction(text) == exact_rate(text)
        assert exact_rate(invert_rate(text)) * exact_rate(text) == 1

    @pytest.mark.parametrize(
        "text", ["", "0", "0.0", "-1", "1e3", "1/2", " 1", "1.", ".5", "1,5", "NaN", "٠.٢",
                 "1234567890123", "0.1234567890123"],
    )  # fmt: skip
    def test_what_is_no_positive_decimal_number_is_refused(self, text: str) -> None:
        says = f"Not a positive decimal number such as 1.0842: {text!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            parse_decimal_rate(text)

    def test_of_a_long_text_the_beginning_is_shown(self) -> None:
        with pytest.raises(ValueError, match=f": '{'9' * 40}'$"):
            parse_decimal_rate("9" * 1_000)

    def test_the_mean_of_one_rate_is_that_rate(self) -> None:
        assert mean_rate([(100, "0.9"), (-30, "0.9")]) == "0.9"
        assert mean_rate([]) is None

    @given(st.lists(st.tuples(st.integers(1, 10**6), rates), min_size=1, max_size=5))
    def test_taking_back_all_takes_back_what_was_paid(self, paid: list[tuple[int, str]]) -> None:
        """DOMAIN V7: a refund uses the original rate, to the last fraction."""
        rate = mean_rate(paid)
        assert rate is not None
        back = [(-amount, rate) for amount, _ in paid]

        assert convert(back, "USD", "EUR").exact_minor == -convert(paid, "USD", "EUR").exact_minor

    @pytest.mark.parametrize(
        ("earlier", "rate"),
        [
            ([(100, "0.5"), (300, "0.9")], "4/5"),
            ([(2, "0.2"), (1, "0.1")], "1/6"),
            ([(100, "0.5"), (-99, "0.4")], "52/5"),
        ],
    )
    def test_the_mean_of_several_weighs_each_by_its_amount(
        self, earlier: list[tuple[int, str]], rate: str
    ) -> None:
        """DOMAIN V7."""
        assert mean_rate(earlier) == rate

    @pytest.mark.parametrize(
        "earlier",
        [
            [(100, "0.9"), (-100, "0.8")],
            [(100, "0.9"), (-200, "0.1")],
            [(100, "0.9"), (-90, "1")],
            [(100, "0.9"), (-99, "1.1")],
        ],
    )
    def test_where_nothing_is_left_the_first_rate_serves(
        self, earlier: list[tuple[int, str]]
    ) -> None:
        assert mean_rate(earlier) == "0.9"


class TestExactText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("0", "0"), ("5", "5"), ("-7", "-7"), ("100", "100"), ("12.50", "12.5"), ("0.05", "0.05"),
         ("-1/8", "-0.125"), ("1/1024", "0.0009765625"), ("3/625", "0.0048"), ("10.1", "10.1"),
         ("1/3", "1/3"), ("-1250/3", "-1250/3"), ("1/30", "1/30"), ("7/60", "7/60")],
    )  # fmt: skip
    def test_a_number_is_a_decimal_where_it_ends(self, value: str, text: str) -> None:
        assert exact_text(Fraction(value)) == text

    @given(st.fractions())
    def test_it_is_the_number_itself(self, value: Fraction) -> None:
        """DOMAIN A1: nothing is rounded for the eye."""
        assert Fraction(exact_text(value)) == value


def test_a_currency_without_threshold_has_none() -> None:
    assert (threshold_of({"USD": 500}, "USD"), threshold_of({"USD": 500}, "EUR")) == (500, 0)
