import pytest

from rewards_service.admin.money.amounts import read_amount


class TestReadAmount:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [("12.50", "USD", 1250), (" -12.5 ", "EUR", -1250), ("93", "JPY", 93),
         ("1.234", "KWD", 1234), ("0.10", "USD", 10), ("\u22125", "USD", -500),
         ("999999999999999.99", "USD", 10**17 - 1)],
    )  # fmt: skip
    def test_a_decimal_number_is_exact(self, text: str, currency: str, minor: int) -> None:
        assert read_amount(text, currency) == minor

    @pytest.mark.parametrize(
        ("text", "currency"),
        [("1,000", "USD"), ("1 000", "USD"), ("12.505", "USD"), ("1.5", "JPY"), ("1e3", "USD"),
         ("", "USD"), ("NaN", "USD"), ("\u0661\u0662", "USD"), ("$5", "USD"), (".5", "USD")],
    )  # fmt: skip
    def test_what_could_be_meant_otherwise_is_refused(self, text: str, currency: str) -> None:
        with pytest.raises(ValueError, match=r"Write a number|digits after the point"):
            read_amount(text, currency)
