"""Cursors."""

from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.pages import open_cursor, seal_cursor

SECRET = "a secret key of the service"


class TestCursor:
    @given(st.integers(0, 2**63 - 1))
    def test_it_gives_its_key_back(self, key: int) -> None:
        assert open_cursor(SECRET, "leads", seal_cursor(SECRET, "leads", key)) == key

    @given(st.text())
    def test_no_text_made_elsewhere_opens(self, text: str) -> None:
        assert open_cursor(SECRET, "leads", text) is None

    def test_it_is_good_for_one_purpose_and_one_service(self) -> None:
        cursor = seal_cursor(SECRET, "leads", 1)

        assert open_cursor(SECRET, "deals", cursor) is None
        assert open_cursor("another key of another service", "leads", cursor) is None
