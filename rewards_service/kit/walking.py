"""Walks through a list from its start to its end, page after page."""

from typing import Any

from rewards_service.kit.pages import Paging

# Large enough that a page's further queries do not count, small enough to hold many at once.
BATCH = 500


class Walk(dict[str, Any]):
    """The query of a list whose pages are read one after the other; `after` is the next place."""

    after: Any = None

    def paging(self, first: Paging) -> Paging:
        """Which page comes next; `first` says where the walk begins and in which order."""
        after = first.after if self.after is None else self.after
        return Paging(BATCH, first.descending, after)
