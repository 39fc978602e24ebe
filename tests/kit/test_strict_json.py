import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.strict_json import NotJson, parse_exact, write_exact

NUMBERS = st.one_of(
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
)
TEXTS = st.text(st.characters(codec=None), max_size=8)  # lone surrogates too
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(TEXTS, below, max_size=4)),
    max_leaves=20,
)


class TestParseExact:
    @pytest.mark.parametrize("text", ["1.10", "0.1234567890123456789012345", "1e-7", "-0.0"])
    def test_a_number_keeps_its_digits(self, text: str) -> None:
        (found,) = parse_exact(f"[{text}]".encode())

        assert isinstance(found, Decimal)
        assert str(found) == str(Decimal(text))

    def test_integers_stay_integers(self) -> None:
        assert parse_exact(b"[9007199254740993]") == [2**53 + 1]
        assert type(parse_exact(b"[5]")[0]) is int

    @pytest.mark.parametrize("text", ["1e999", "-1e999999999", "NaN", "Infinity"])
    def test_what_nobody_can_calculate_with_is_refused(self, text: str) -> None:
        with pytest.raises(NotJson):
            parse_exact(f"[{text}]".encode())


class TestWriteExact:
    @given(VALUES)
    def test_what_is_written_is_read_again_digit_for_digit(self, value: Any) -> None:
        written = write_exact(value)
        again = parse_exact(written)

        assert write_exact(again) == written
        assert again == value

    def test_rates_are_written_as_they_came(self) -> None:
        body = b'{"rate":1.10,"amount":12345678901234567890123}'

        assert write_exact(parse_exact(body)) == body
        assert write_exact(parse_exact(b'{"rate":0.10}')) == b'{"rate":0.10}'

    def test_a_lone_surrogate_does_not_cost_the_digits(self) -> None:
        written = write_exact(parse_exact(b'["\\ud800", 1.10]'))

        assert written == b'["\\ud800",1.10]'
        assert json.loads(written)[0] == "\ud800"

    def test_what_is_not_json_is_refused(self) -> None:
        with pytest.raises(TypeError):
            write_exact({"x": object()})
