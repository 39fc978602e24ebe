"""A list of things to try keys, choices and undo on: a page as any subject has it."""

from pathlib import Path
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin.doing import attempt
from rewards_service.admin.lists import Bulk, Column, Filter, ListView
from rewards_service.admin.pages import Pages, show
from rewards_service.kit.errors import Conflict
from rewards_service.kit.pages import Page

# Also a name that would turn what follows around, and one that would be a tag.
NAMES = ["Ann", "Ben", "Cem", "<b>Dan</b>", "Eve\u202egnp.exe", "Fay"]
marked: set[str] = set()
blueprint = Pages("trying_pages")
blueprint.template_folder = str(Path(__file__).with_name("templates"))


@blueprint.page("/trying", permission="rewards:read")
def list_things() -> ResponseReturnValue:
    return show("list.html", **VIEW.values())


@blueprint.page("/trying/<thing>", permission="rewards:read")
def show_thing(thing: str) -> ResponseReturnValue:
    return show("error.html", problem={"title": f"Thing {thing}", "detail": "-"})


@blueprint.page("/trying/mark", permission="rewards:write", methods=("POST",))
def mark() -> ResponseReturnValue:
    chosen = request.form.getlist("ids")
    undo = (url_for("trying_pages.unmark"), {"ids": chosen, "why": "undone"})
    attempt(lambda: marked.update(chosen), f"{len(chosen)} marked.", undo)
    return redirect(url_for("trying_pages.list_things"))


@blueprint.page("/trying/unmark", permission="rewards:write", methods=("POST",))
def unmark() -> ResponseReturnValue:
    def act() -> None:
        if not marked.issuperset(request.form.getlist("ids")):
            raise Conflict("That was undone before.")
        marked.difference_update(request.form.getlist("ids"))

    attempt(act, f"Back as it was: {request.form['why']}.")
    return redirect(url_for("trying_pages.list_things"))


def _fetch(_session: Any, _paging: Any, chosen: dict[str, str]) -> Page:
    rows: Any = [(name,) for name in NAMES if name.startswith(chosen.get("name", ""))]
    return Page(rows, None)


VIEW = ListView(
    title="Things",
    columns=(Column("Name", lambda name: name), Column("Marked", lambda name: name in marked)),
    fetch=_fetch,
    filters=(Filter("name", "Name", kind="search"),),
    link=lambda name: url_for("trying_pages.show_thing", thing=name[:3]),
    bulk=Bulk(
        lambda: url_for("trying_pages.mark"),
        "trying_bulk.html",
        lambda name: name if name.isascii() else None,
        "rewards:write",
    ),
)
