"""Pages of lists: columns, filters in the address, pages by key, a file of what is filtered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy.orm import Session

from rewards_service.admin.pages import may
from rewards_service.integrations.queries import is_connected
from rewards_service.kit import pages
from rewards_service.kit.web import current_session, current_settings

LIMIT = 50
LONGEST = 200  # characters of a filter


def asked(name: str) -> str:
    """A parameter of the address, as far as it can mean anything: "" where there is none."""
    # PostgreSQL refuses what holds a NUL; nothing has one in it.
    return request.args.get(name, "").replace("\x00", "").strip()[:LONGEST]


@dataclass(frozen=True)
class Column:
    """One column; `cell` makes its contents from a row, as text or Markup.

    `priority` 1 is always shown, 2 from tablets on, 3 on wide screens.
    """

    title: str
    cell: Callable[[Any], Any]
    priority: int = 1
    align: str = "start"


@dataclass(frozen=True)
class Filter:
    """One filter, kept in the address: a choice (value -> title), or else a text.

    `kind` is what the field is for: `text`, `search` (the key `/` leads there), `date`; `hidden`
    is set by links only, and kept when others are applied.
    """

    name: str
    title: str
    choices: Mapping[str, str] | None = None
    kind: str = "text"


@dataclass(frozen=True)
class Bulk:
    """What can be done with several rows at once, by a form around the table.

    `template` draws the buttons below `templates/admin`; rows are sent as `ids`, as `row_id` names
    them (None: this row cannot be chosen). Only those with the permission see it.
    """

    action: Callable[[], str]
    template: str
    row_id: Callable[[Any], str | None]
    permission: str


@dataclass(frozen=True)
class Empty:
    """What a list says where there is nothing at all, and what leads on from there.

    `steps` are title, endpoint and icon; those show that this person may take. `by_payments`:
    nothing comes here before a site is connected, so until then that is what leads on.
    """

    icon: str
    title: str
    detail: str = ""
    steps: Sequence[tuple[str, str, str]] = ()
    by_payments: bool = False

    def begins(self) -> bool:
        """Whether there is no site yet that anything could come from."""
        return self.by_payments and not is_connected(current_session())


@dataclass(frozen=True)
class ListView:
    """A list as a page. `fetch` gives the rows for the filters that are set.

    `link` is where a row leads.
    """

    title: str
    columns: Sequence[Column]
    fetch: Callable[[Session, pages.Paging, dict[str, str]], pages.Page]
    row: Callable[[Any], Any] = lambda found: found[0]
    filters: Sequence[Filter] = ()
    link: Callable[[Any], str] | None = None
    export: str | None = None  # address of the same list as a file; the filters are added
    empty: Empty = Empty("search", "Nothing here yet.")
    actions: Sequence[tuple[str, str, str]] = field(default_factory=tuple)  # title, address, icon
    bulk: Bulk | None = None
    lead: str = ""  # one line below the headline

    def values(self) -> dict[str, Any]:
        """What `list.html` needs, for this request."""
        chosen = self._chosen()
        page = self.fetch(current_session(), self._paging(), chosen)
        return {
            "view": self,
            "bulk": self.bulk if self.bulk and may(self.bulk.permission) else None,
            "rows": [self.row(found) for found in page.rows],
            "chosen": chosen,
            "next_url": self._next(page, chosen),
            "first_url": self._url(chosen) if "cursor" in request.args else None,
            "export_url": self.export and f"{self.export}?{urlencode(chosen)}".rstrip("?"),
        }

    def _chosen(self) -> dict[str, str]:
        """The filters that are set; a choice that does not exist counts as none."""
        found = {}
        for wanted in self.filters:
            value = asked(wanted.name)
            if value and (wanted.choices is None or value in wanted.choices):
                found[wanted.name] = value
        return found

    def _paging(self) -> pages.Paging:
        cursor = request.args.get("cursor", "")[:200]
        after = pages.open_cursor(current_settings().secret_key, self._purpose(), cursor)
        return pages.Paging(LIMIT, descending=True, after=after)

    def _next(self, page: pages.Page, chosen: Mapping[str, str]) -> str | None:
        if page.last is None:
            return None
        cursor = pages.seal_cursor(current_settings().secret_key, self._purpose(), page.last)
        return self._url({**chosen, "cursor": cursor})

    def _url(self, values: Mapping[str, str]) -> str:
        return f"{request.path}?{urlencode(values)}".rstrip("?")

    def _purpose(self) -> str:
        return f"page:{request.path}"
