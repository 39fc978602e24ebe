"""The audit log: who did what to what, and why."""

from typing import Any, NamedTuple

from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.activity import Line, actor_called, kind_called, told
from rewards_service.admin.cells import foreign
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, may, show
from rewards_service.admin.places import link_to
from rewards_service.admin.searching import names_of_things
from rewards_service.audit import queries, subjects
from rewards_service.kit.pages import Page, Paging

blueprint = Pages("audit_pages")


@blueprint.page("/audit", permission="audit:read")
def list_entries() -> ResponseReturnValue:
    """The newest entries first."""
    return show("list.html", **VIEW.values())


class Row(NamedTuple):
    """An entry in words, and what the thing it is about is called."""

    line: Line
    subject: Markup


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted: dict[str, Any] = dict(chosen)
    if "actor" in chosen:
        wanted["actor"] = actor_called(session, chosen["actor"])
    page = queries.list_entries(session, paging, wanted)
    lines = told(session, [row[0] for row in page.rows])
    things = [(line.entry.subject_kind, line.entry.subject_id) for line in lines]
    names = names_of_things(session, things, may)
    rows: Any = [
        Row(line, _linked(*thing, names.get(thing)))
        for line, thing in zip(lines, things, strict=True)
    ]
    return Page(rows, page.last)


def _linked(kind: str, key: int, name: str | None) -> Markup:
    return link_to(kind, key, name and foreign(name))


VIEW = ListView(
    title="Audit log",
    lead="Who did what, and why. Nothing of it can be changed.",
    columns=(
        Column("What", lambda row: row.line.what),
        Column("When", lambda row: moment(row.line.entry.at)),
        Column("Who", lambda row: row.line.who),
        Column("To what", lambda row: row.subject, priority=2),
        Column("Why", lambda row: row.line.entry.reason or "", priority=3),
    ),
    fetch=_fetch,
    row=lambda row: row,
    filters=(
        Filter("subject_kind", "About", {
            kind: kind_called(kind) for kind in sorted(subjects.PREFIXES)
        }),
        Filter("action", "Action"),
        Filter("actor", "Who (e-mail or id)"),
    ),
    empty=Empty("history", "Nothing was done yet."),
)  # fmt: skip
