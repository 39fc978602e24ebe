"""Accept headers."""

import pytest

from rewards_service.kit.accepting import best

JSON, CSV = "application/json", "text/csv"


class TestBest:
    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            ("", JSON),
            ("*/*", JSON),
            ("text/csv", CSV),
            ("TEXT/CSV; charset=utf-8", CSV),
            ("text/*", CSV),
            ("text/csv, application/json", JSON),
            ("text/csv, application/json;q=0.9", CSV),
            ("text/csv;q=0.1, application/*;q=0.2", JSON),
            ("text/html,application/xml;q=0.9,*/*;q=0.8", JSON),
            ("application/json;q=0, */*", CSV),
            ("text/html", None),
            ("text/csv;q=0", None),
            ("text/csv;q=much, */*;q=0", None),
        ],
    )
    def test_quality_decides_then_the_order_of_what_is_offered(
        self, accept: str, expected: str | None
    ) -> None:
        assert best(accept, [JSON, CSV]) == expected
