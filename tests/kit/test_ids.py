import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit import ids

keys = st.integers(0, 2**63 - 1)


class TestEncode:
    @given(keys)
    def test_decode_gives_the_key_back(self, key: int) -> None:
        assert ids.decode("par", ids.encode("par", key)) == key

    @given(st.sets(keys, min_size=2, max_size=50))
    def test_no_two_keys_share_an_id(self, some: set[int]) -> None:
        assert len({ids.encode("par", key) for key in some}) == len(some)

    def test_hides_the_order(self) -> None:
        found = [ids.encode("par", key) for key in range(1, 50)]

        assert found != sorted(found)
        assert {len(text) for text in found} == {len("par_") + 13}


class TestDecode:
    @pytest.mark.parametrize(
        "text",
        ["", "par", "par_", "par_1", "lea_0000000000000", "par_000000000000", "par_00000000000000",
         "par_000000000000l", "par_000000000000I", "par_ZZZZZZZZZZZZZ", "par_zzzzzzzzzzzzz",
         "par_0000000000 00", "par_０000000000000", "PAR_0000000000000", "par-0000000000000"],
    )  # fmt: skip
    def test_is_none_for_what_is_no_id_of_the_kind(self, text: str) -> None:
        assert ids.decode("par", text) is None

    def test_every_key_has_one_spelling_only(self) -> None:
        text = ids.encode("par", 5)

        assert ids.decode("par", text.upper()) is None
        assert ids.decode("par", f"{text} ") is None

    @given(st.text(max_size=20))
    def test_never_fails(self, text: str) -> None:
        found = ids.decode("par", f"par_{text}")

        assert found is None or 0 <= found < 2**63
