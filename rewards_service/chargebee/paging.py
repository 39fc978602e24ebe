"""Lists that come page by page, and never without end (pure)."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rewards_service.chargebee.errors import Garbled
from rewards_service.chargebee.wire import Payload

MAX_PAGE = 100
LONGEST_OFFSET = 1000
MOST_EMPTY_PAGES = 20
MOST_PAGES = 1_000_000


class Page(NamedTuple):
    """Some objects of a list, and where the next page begins; None after the last.

    Keep `next_offset` together with the rows: a list that was left there goes on from it.
    """

    rows: list[Payload]
    next_offset: str | None


def read_page(answer: Payload, kind: str) -> Page:
    """The page in a list's answer, `{"list": [{kind: {...}, ...}], "next_offset": ...}`.

    Only the objects of `kind` are kept: a customer comes with a card that nobody needs. Raises
    Garbled.
    """
    entries, offset = answer.get("list"), answer.get("next_offset")
    if not isinstance(entries, list):
        raise Garbled(f"The list of {kind}s has no member `list`.", passes=True)
    rows: list[Payload] = []
    for entry in entries:
        row = entry.get(kind) if isinstance(entry, dict) else None
        if not isinstance(row, dict):
            raise Garbled(f"An entry of the list of {kind}s holds no {kind}.", passes=True)
        rows.append(row)
    if offset is not None and not (isinstance(offset, str) and 1 <= len(offset) <= LONGEST_OFFSET):
        raise Garbled(f"The list of {kind}s has a next_offset that is none.", passes=True)
    return Page(rows, offset)


def pages(
    fetch: Callable[[str | None], Page], offset: str | None = None, most: int = MOST_PAGES
) -> Iterator[Page]:
    """Every page from `offset` on. Garbled for a list that runs in circles or on for ever.

    One earlier page is remembered, a later one each time their number doubles (Brent): a circle of
    any length is found within three rounds, in the memory of one page.
    """
    remembered: tuple[str | None, list[Any]] | None = None
    empty = 0
    for number in range(1, most + 1):
        page = fetch(offset)
        empty = 0 if page.rows else empty + 1
        if _seen_before(page, remembered) or empty > MOST_EMPTY_PAGES:
            raise Garbled("The list runs in circles: its pages come again.")
        yield page
        if page.next_offset is None:
            return
        if page.next_offset == offset:
            raise Garbled("The list does not move on: a page names itself as the next.")
        if number & (number - 1) == 0:
            remembered = (page.next_offset, page.rows)
        offset = page.next_offset
    raise Garbled(f"The list has more than {most} pages.")


def _seen_before(page: Page, remembered: tuple[str | None, list[Any]] | None) -> bool:
    if remembered is None:
        return False
    offset, rows = remembered
    return page.next_offset == offset is not None or bool(page.rows and page.rows == rows)
