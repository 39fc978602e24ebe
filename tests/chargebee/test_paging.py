from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.errors import Garbled
from rewards_service.chargebee.paging import MOST_EMPTY_PAGES, Page, pages, read_page


def rows(*numbers: int) -> list[Any]:
    return [{"id": str(number)} for number in numbers]


def listing(size: int, per_page: int) -> Callable[[str | None], Page]:
    """A list of `size` rows that behaves."""

    def fetch(offset: str | None) -> Page:
        start = int(offset or 0)
        end = min(start + per_page, size)
        return Page(rows(*range(start, end)), str(end) if end < size else None)

    return fetch


class TestPages:
    @given(st.integers(0, 400), st.integers(1, 100))
    def test_every_row_comes_once_and_in_order(self, size: int, per_page: int) -> None:
        found = [row for page in pages(listing(size, per_page)) for row in page.rows]

        assert found == rows(*range(size))

    @given(st.integers(1, 400), st.integers(1, 50), st.integers(0, 400))
    def test_a_list_goes_on_where_it_was_left(self, size: int, per_page: int, left: int) -> None:
        fetch = listing(size, per_page)
        first = []
        offset: str | None = None
        for page in pages(fetch):
            first += page.rows
            offset = page.next_offset
            if len(first) >= left or offset is None:
                break
        rest = [] if offset is None else [row for page in pages(fetch, offset) for row in page.rows]

        assert first + rest == rows(*range(size))

    @given(st.integers(0, 40), st.integers(1, 40))
    def test_a_circle_of_offsets_ends(self, before: int, circle: int) -> None:
        asked: list[str | None] = []

        def fetch(offset: str | None) -> Page:
            asked.append(offset)
            place = int(offset or 0)
            following = place + 1 if place + 1 < before + circle else before
            return Page(rows(len(asked)), str(following))

        with pytest.raises(Garbled, match="The list"):
            list(pages(fetch))
        assert len(asked) <= 3 * (before + circle) + 3

    @given(st.integers(1, 40))
    def test_the_same_rows_under_new_offsets_end(self, circle: int) -> None:
        turn = count()

        def fetch(_: str | None) -> Page:
            number = next(turn)
            return Page(rows(number % circle), f"offset {number}")

        with pytest.raises(Garbled, match="circles"):
            list(pages(fetch))
        assert next(turn) <= 3 * circle + 3

    def test_empty_pages_without_end_end(self) -> None:
        turn = count()

        with pytest.raises(Garbled):
            list(pages(lambda _: Page([], f"offset {next(turn)}")))
        assert next(turn) <= MOST_EMPTY_PAGES + 2

    def test_an_empty_page_in_the_middle_is_no_end(self) -> None:
        found = {None: Page(rows(1), "a"), "a": Page([], "b"), "b": Page(rows(2), None)}

        assert [row for page in pages(lambda at: found[at]) for row in page.rows] == rows(1, 2)

    def test_ever_new_rows_end_too(self) -> None:
        turn = count()

        def fetch(_: str | None) -> Page:
            number = next(turn)
            return Page(rows(number), f"offset {number}")

        with pytest.raises(Garbled, match="more than 500 pages"):
            list(pages(fetch, most=500))

    def test_a_page_is_asked_for_only_when_it_is_wanted(self) -> None:
        asked: list[str | None] = []

        def fetch(offset: str | None) -> Page:
            asked.append(offset)
            return listing(10, 2)(offset)

        found = pages(fetch)
        next(found)
        assert asked == [None]


class TestReadPage:
    def test_only_the_objects_of_the_list_are_kept(self) -> None:
        answer = {
            "list": [{"customer": {"id": "1"}, "card": {"masked_number": "4"}}],
            "next_offset": '["1","2"]',
        }

        assert read_page(answer, "customer") == Page(rows(1), '["1","2"]')

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"list": {}},
            {"list": None},
            {"list": [{"card": {}}]},
            {"list": ["x"]},
            {"list": [{"customer": None}]},
            {"list": [], "next_offset": 5},
            {"list": [], "next_offset": ""},
            {"list": [], "next_offset": "x" * 1001},
        ],
    )
    def test_what_is_no_list_is_refused(self, answer: dict[str, Any]) -> None:
        with pytest.raises(Garbled):
            read_page(answer, "customer")
