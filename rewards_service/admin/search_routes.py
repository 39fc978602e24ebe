"""The search over everything: a page of its own, and what the dialog of Ctrl-K asks."""

from collections.abc import Sequence
from typing import NamedTuple

from flask import redirect, request
from flask.typing import ResponseReturnValue

from rewards_service.accounts.permissions import SIGNED_IN
from rewards_service.admin import searching
from rewards_service.admin.layout import address_of
from rewards_service.admin.pages import Pages, may, show
from rewards_service.admin.places import place_of
from rewards_service.admin.searching import Hit
from rewards_service.admin.shortcuts import jumps
from rewards_service.kit.web import current_session

blueprint = Pages("search_pages")


class Result(NamedTuple):
    """One line: what it is called, a few words, a status, and where it is, if it has a page."""

    name: str
    note: str | None
    status: str | None
    address: str | None


@blueprint.page("/search", permission=SIGNED_IN)
def search() -> ResponseReturnValue:
    """Everything that `q` may mean. The public id of a thing leads to the thing itself.

    `part=results` gives the lines alone, for the dialog.
    """
    text = request.args.get("q", "")[: searching.LONGEST + 1]
    if request.args.get("part") == "results":
        return show("hands/options.html", groups=_groups(text), text=text)
    exact = searching.find_by_id(current_session(), text.strip(), may)
    if exact is not None and (place := _place(exact)) is not None:
        return redirect(place)
    return show("hands/search.html", groups=_groups(text), text=text)


def _groups(text: str) -> list[tuple[str, Sequence[Result]]]:
    """Headline -> its lines: pages first, then things in the order of their kinds."""
    groups: dict[str, list[Result]] = {}
    wanted = text.strip().casefold()
    for jump in jumps():
        if wanted in jump.title.casefold():
            groups.setdefault("Pages", []).append(Result(jump.title, None, None, jump.address))
    for hit in searching.find(current_session(), text, may):
        title = searching.KINDS[hit.kind].title
        groups.setdefault(title, []).append(Result(hit.name, hit.note, hit.status, _place(hit)))
    return list(groups.items())


def _place(hit: Hit) -> str | None:
    if hit.kind == "user":  # they stand on one page, all of them
        return address_of("users.list_users")
    return place_of(hit.kind, hit.key)
