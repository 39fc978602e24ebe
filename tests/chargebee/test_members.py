from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee import members
from rewards_service.chargebee.members import Shape

SHAPE = Shape(*members.members(members.text, "name"), *members.members(members.number, n="count"))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class TestRead:
    def test_has_every_column_whatever_is_there(self) -> None:
        assert SHAPE.read({}) == {"name": None, "n": None}
        assert SHAPE.read({"name": "A", "count": 3, "more": 1}) == {"name": "A", "n": 3}

    @given(anything)
    def test_an_odd_member_is_left_out(self, value: object) -> None:
        for reader in (members.text, members.name_of, members.number, members.yes, members.time,
                       members.currency, members.decimal, members.rate):  # fmt: skip
            found = reader(value)
            assert not isinstance(found, float | Decimal | list | dict)


class TestReadList:
    @pytest.mark.parametrize("listed", [None, {}, "a", 5, [None, 3, "x"]])
    def test_what_is_no_object_is_none(self, listed: object) -> None:
        assert SHAPE.read_list(listed) == []

    def test_counts_what_there_is(self) -> None:
        found = SHAPE.read_list([{"name": "a"}, 5, {"name": "b"}], kind="k")

        assert [(row["position"], row["kind"], row["name"]) for row in found] == [
            (0, "k", "a"), (1, "k", "b"),
        ]  # fmt: skip


class TestDecimal:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("10.50", "10.5"), ("0.000001", "0.000001"), (Decimal("10.0"), "10"), (12.5, "12.5"),
         (0, "0"), (-1.5, "-1.5"), (1e-7, "0.0000001"), (10**30, "1" + "0" * 30), (100, "100"),
         ("1e5", None), ("", None), ("1,5", None), (True, None), (float("inf"), None),
         (Decimal("1e400"), None)],
    )  # fmt: skip
    def test_is_spelled_one_way(self, value: object, text: str | None) -> None:
        """reference: amounts and rates never through a float."""
        assert members.decimal(value) == text

    @given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=0, max_value=1e9))
    def test_keeps_every_digit(self, value: Decimal) -> None:
        assert Decimal(str(members.decimal(f"{value:f}"))) == value
        assert members.decimal(f"{value:f}") == members.decimal(value)


class TestRate:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(1.0825, "1.0825"), (1, "1"), (1e-7, "0.0000001"), (0.1, "0.1"), (0, None), (-1, None),
         (True, None), ("1.0", None), (None, None), (float("nan"), None), (Decimal("0.10"), "0.1")],
    )  # fmt: skip
    def test_is_a_positive_number_as_it_was_sent(self, value: object, text: str | None) -> None:
        """DOMAIN A1, V7."""
        assert members.rate(value) == text
