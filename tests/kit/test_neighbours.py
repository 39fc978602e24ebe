"""All spellings one typing error away."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards_service.kit.neighbours import LONGEST, neighbours


class TestNeighbours:
    @pytest.mark.parametrize(
        "typed",
        ["ad@one.example", "adaa@one.example", "adb@one.example", "aad@one.example",
         "ada@oen.example", "ada@one.exampl", "adá@one.example"],
    )  # fmt: skip
    def test_one_sign_off(self, typed: str) -> None:
        """DOMAIN M7: within distance 1."""
        assert typed in neighbours("ada@one.example")

    @pytest.mark.parametrize("other", ["ada@one.example", "da@on.example", "dda@one.examples"])
    def test_itself_and_what_is_further_are_none(self, other: str) -> None:
        assert other not in neighbours("ada@one.example")

    @settings(max_examples=30)  # each looks at thousands of neighbours
    @given(st.text("abc.@", min_size=1, max_size=8))
    def test_it_is_mutual(self, key: str) -> None:
        assert all(key in neighbours(other) for other in neighbours(key) if other)

    def test_what_nobody_types_has_none(self) -> None:
        assert neighbours("a" * (LONGEST + 1)) == set()
