from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit import money

amounts = st.integers(-(10**18), 10**18)
fractions = st.builds(Fraction, amounts, st.integers(1, 10**9))


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """Basis points of some partners, together 10000."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=6)))
    return [right - left for left, right in zip([0, *cuts], [*cuts, 10_000], strict=True)]


class TestExponent:
    @pytest.mark.parametrize(
        ("digits", "currencies"),
        [
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
            (2, "USD EUR GBP CHF HUF TWD COP IDR INR BRL ALL AFN IRR KPW LAK LBP MGA MMK RSD"),
            (2, "SLE SLL SOS SYP YER CZK SEK AMD CRC UZS MRU STN ZMW BYN TRY TMT"),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
        ],
    )
    def test_is_that_of_iso_4217(self, digits: int, currencies: str) -> None:
        """DOMAIN A1: not the number of digits that is usual in cash."""
        assert {code: money.exponent(code) for code in currencies.split()} == dict.fromkeys(
            currencies.split(), digits
        )


class TestIsCurrency:
    @pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "KWD", "XCG", "ZWG", "VED", "SLE"])
    def test_accepts_codes_in_use(self, code: str) -> None:
        assert money.is_currency(code)

    @pytest.mark.parametrize("value", ["ZZZ", "usd", "US", "USDD", "", " USD", None, 840, ["USD"]])
    def test_refuses_anything_else(self, value: object) -> None:
        assert not money.is_currency(value)


class TestIsAmount:
    @pytest.mark.parametrize("value", [0, 1, 2**53 + 1, 2**63 - 1])
    def test_accepts_integers_that_a_database_can_hold(self, value: int) -> None:
        assert money.is_amount(value)

    @pytest.mark.parametrize(
        "value", [-1, 2**63, 10**30, True, False, 1.0, 0.0, "4500", None, [1], float("nan")]
    )
    def test_refuses_anything_else(self, value: object) -> None:
        """DOMAIN "Outcome of an event": a bool or float is not an amount."""
        assert not money.is_amount(value)


class TestRoundAmount:
    @pytest.mark.parametrize(
        ("value", "even", "up"),
        [("2.5", 2, 3), ("3.5", 4, 4), ("-2.5", -2, -3), ("2.4999", 2, 2), ("2.5001", 3, 3),
         ("0.5", 0, 1), ("-0.5", 0, -1), ("7", 7, 7)],
    )  # fmt: skip
    def test_sends_ties_where_the_mode_says(self, value: str, even: int, up: int) -> None:
        """DOMAIN A5."""
        assert money.round_amount(Fraction(value)) == even
        assert money.round_amount(Fraction(value), money.HALF_UP) == up

    @given(fractions, st.sampled_from(money.ROUNDINGS))
    def test_is_the_same_for_a_value_and_its_negative(self, value: Fraction, mode: str) -> None:
        """DOMAIN A5: a computed reversal leaves no cent behind."""
        assert money.round_amount(-value, mode) == -money.round_amount(value, mode)

    @given(fractions, st.sampled_from(money.ROUNDINGS))
    def test_is_never_more_than_a_half_away(self, value: Fraction, mode: str) -> None:
        assert abs(money.round_amount(value, mode) - value) <= Fraction(1, 2)

    def test_refuses_an_unknown_mode(self) -> None:
        with pytest.raises(ValueError, match="floor"):
            money.round_amount(Fraction(1), "floor")


class TestSplit:
    def test_gives_what_is_left_over_to_the_largest_remainder(self) -> None:
        """DOMAIN T7, A6."""
        assert money.split(100, [3_334, 3_333, 3_333]) == [34, 33, 33]
        assert money.split(-100, [3_334, 3_333, 3_333]) == [-34, -33, -33]

    def test_the_largest_share_has_not_always_the_largest_remainder(self) -> None:
        """DOMAIN A6: 68 % of 3 are 2.04, 32 % are 0.96."""
        assert money.split(3, [6_800, 3_200]) == [2, 1]

    def test_a_tie_goes_to_the_earlier_share(self) -> None:
        """DOMAIN A6: tie to the lower partner id."""
        assert money.split(1, [5_000, 5_000]) == [1, 0]

    @given(amounts, shares())
    def test_the_parts_sum_to_the_whole(self, amount: int, parts: list[int]) -> None:
        """DOMAIN S7, A6."""
        assert sum(money.split(amount, parts)) == amount

    @given(amounts, shares())
    def test_no_part_is_a_whole_unit_off(self, amount: int, parts: list[int]) -> None:
        for part, share in zip(money.split(amount, parts), parts, strict=True):
            assert abs(part - Fraction(amount * share, 10_000)) < 1

    @given(amounts, shares())
    def test_the_parts_of_the_opposite_are_the_opposite_parts(
        self, amount: int, parts: list[int]
    ) -> None:
        """DOMAIN T7."""
        assert money.split(-amount, parts) == [-part for part in money.split(amount, parts)]

    @pytest.mark.parametrize("wrong", [[], [9_999], [5_000, 5_001], [-1, 10_001]])
    def test_refuses_shares_that_are_no_whole(self, wrong: list[int]) -> None:
        """DOMAIN S7."""
        with pytest.raises(ValueError, match=r"^Shares must be basis points that sum to 10000\.$"):
            money.split(100, wrong)


class TestParseRate:
    @pytest.mark.parametrize(
        ("text", "millionths"),
        [("0.125", 125_000), ("0.20", 200_000), ("0", 0), ("1", 1_000_000), ("0.000001", 1),
         ("1.000000000", 1_000_000), ("0.1000000000000000000", 100_000)],
    )  # fmt: skip
    def test_reads_decimal_text(self, text: str, millionths: int) -> None:
        assert money.parse_rate(text) == millionths

    @pytest.mark.parametrize("text", ["abc", "", "0,2", "20 %"])
    def test_refuses_what_is_no_number(self, text: str) -> None:
        with pytest.raises(ValueError, match=f"^Not a decimal number: '{text}'$"):
            money.parse_rate(text)

    @pytest.mark.parametrize("text", ["-0.1", "1.000001", "20", "NaN", "sNaN", "Infinity"])
    def test_refuses_what_is_not_between_0_and_1(self, text: str) -> None:
        says = r"^A rate lies between 0 and 1; 20 % is 0\.20\.$"
        with pytest.raises(ValueError, match=says):
            money.parse_rate(text)

    @pytest.mark.parametrize(
        "text", ["0.0000001", "1e-7", "0.1234560000000000000000000000000001", "1e-999999999"]
    )
    def test_refuses_what_is_too_fine(self, text: str) -> None:
        """DOMAIN A1: nothing is rounded on the way in."""
        with pytest.raises(ValueError, match=r"^A rate has at most six decimal places\.$"):
            money.parse_rate(text)

    @given(st.integers(0, money.RATE_UNIT))
    def test_reads_back_what_format_rate_writes(self, millionths: int) -> None:
        assert money.parse_rate(money.format_rate(millionths)) == millionths


class TestFormatRate:
    @pytest.mark.parametrize(
        ("millionths", "text"),
        [(200_000, "0.20"), (125_000, "0.125"), (1, "0.000001"), (0, "0.00"), (1_000_000, "1.00"),
         (10, "0.00001"), (900_000, "0.90"), (990_000, "0.99"), (120_500, "0.1205")],
    )  # fmt: skip
    def test_has_two_places_or_as_many_as_it_needs(self, millionths: int, text: str) -> None:
        assert money.format_rate(millionths) == text


class TestFormatMinor:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [(-1250, "USD", "-12.50 USD"), (5, "USD", "0.05 USD"), (4500, "JPY", "4500 JPY"),
         (-1, "JPY", "-1 JPY"), (12345, "KWD", "12.345 KWD"), (7, "KWD", "0.007 KWD"),
         (0, "EUR", "0.00 EUR"), (2**63 - 1, "USD", "92233720368547758.07 USD")],
    )  # fmt: skip
    def test_has_the_digits_of_the_currency(self, amount: int, currency: str, text: str) -> None:
        """DOMAIN A1."""
        assert money.format_minor(amount, currency) == text
