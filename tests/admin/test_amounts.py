import pytest

from rewards_service.admin.amounts import read_amount, read_amounts, read_whole


class TestReadAmount:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [("12.50", "USD", 1250), (" -12.5 ", "EUR", -1250), ("93", "JPY", 93),
         ("1.234", "KWD", 1234), ("0.10", "USD", 10), ("\u22125", "USD", -500),
         ("4,50", "EUR", 450), ("1,25", "KWD", 1250), ("-0.005", "KWD", -5),
         ("999999999999999.99", "USD", 10**17 - 1)],
    )  # fmt: skip
    def test_a_decimal_number_is_exact(self, text: str, currency: str, minor: int) -> None:
        assert read_amount(text, currency) == minor

    @pytest.mark.parametrize(
        ("text", "currency"),
        [("1,000", "USD"), ("1.000", "EUR"), ("1,000", "KWD"), ("1.000", "JPY"), ("1,000", "JPY"),
         ("1,000.00", "USD"), ("1 000", "USD"), ("12.505", "USD"), ("1.5", "JPY"),
         ("1.2345", "KWD"), ("1e3", "USD"), ("", "USD"), ("NaN", "USD"), ("\u0661\u0662", "USD"),
         ("$5", "USD"), (".5", "USD"), ("9" * 15, "CLF")],
    )  # fmt: skip
    def test_what_could_be_meant_otherwise_is_refused(self, text: str, currency: str) -> None:
        with pytest.raises(ValueError, match=r"Write a number|decimal places|that large"):
            read_amount(text, currency)

    @pytest.mark.parametrize("text", ["9" * 16, "9" * 5_000, "-1000000000000000000.5"])
    def test_one_too_large_is_called_so(self, text: str) -> None:
        for currency in ("JPY", "USD", "KWD"):
            with pytest.raises(ValueError, match=r"^No amount is that large\.$"):
                read_amount(text, currency)

    def test_nothing_is_said_of_a_point_where_there_are_no_decimals(self) -> None:
        with pytest.raises(ValueError, match=r"such as 1250, without separators of thousands"):
            read_amount("1,000", "JPY")
        with pytest.raises(ValueError, match=r"CLP has no decimal places: write it like 1250"):
            read_amount("1.5", "CLP")

    def test_the_example_has_the_digits_of_the_currency(self) -> None:
        for currency, example in (("JPY", "1250,"), ("USD", "12.50,"), ("KWD", "1.250,")):
            with pytest.raises(ValueError, match=f"such as {example}"):
                read_amount("x", currency)


class TestReadAmounts:
    def test_each_has_its_currency_before_or_after(self) -> None:
        """DOMAIN A1: integers in minor units."""
        assert read_amounts("5 USD, 4,50 eur; 300 JPY\n\n KWD 1.234 ") == {
            "USD": 500, "EUR": 450, "JPY": 300, "KWD": 1_234,
        }  # fmt: skip
        assert read_amounts("EUR 50.00, USD 4\nJPY500") == {"EUR": 5_000, "USD": 400, "JPY": 500}
        assert read_amounts(" \n") == {}

    @pytest.mark.parametrize(
        "text",
        ["1,000 USD", "1.000 EUR", "1,000.00 EUR", "1e3 EUR", "5", "EUR", "-5 EUR", "5 EUR 5",
         "EUR 5 USD", "5 QQQ", "5 EUR, 6 EUR", "1.5 JPY", "\u0663 EUR"],
    )  # fmt: skip
    def test_what_could_mean_two_things_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_amounts(text)


class TestReadWhole:
    def test_it_is_digits_and_nothing_else(self) -> None:
        assert (read_whole(" 24 "), read_whole("007")) == (24, 7)

    @pytest.mark.parametrize(
        "text", ["", "1_0", "１２", "1.5", "1,5", "1e3", "-1", "+1", "²", "9" * 5_000]
    )
    def test_what_python_would_take_as_well_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="whole number in digits"):
            read_whole(text)
