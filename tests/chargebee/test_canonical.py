import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.canonical import canonical_json


class TestCanonicalJson:
    @given(st.dictionaries(st.text(), st.integers() | st.text(), min_size=2))
    def test_equal_objects_have_equal_bytes(self, value: dict[str, Any]) -> None:
        """DOMAIN "Which Chargebee events matter": the last word between two versions."""
        turned = dict(reversed(value.items()))

        assert canonical_json(value) == canonical_json(turned)
        assert json.loads(canonical_json(value)) == value

    @pytest.mark.parametrize("odd", [10**30, "\ud800", {"a": [2**64]}])
    def test_writes_what_no_fast_writer_can(self, odd: object) -> None:
        assert json.loads(canonical_json({"odd": odd})) == {"odd": odd}
