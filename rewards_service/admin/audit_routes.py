"""The audit log: who did what to what, and why."""

from typing import Any

from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.activity import Line, told
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Filter, ListView
from rewards_service.admin.pages import Pages, show
from rewards_service.admin.places import link_to
from rewards_service.audit import queries, subjects
from rewards_service.kit.pages import Page, Paging

blueprint = Pages("audit_pages")


@blueprint.page("/audit", permission="audit:read")
def list_entries() -> ResponseReturnValue:
    """The newest entries first."""
    return show("list.html", **VIEW.values())


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    page = queries.list_entries(session, paging, chosen)
    lines: Any = told(session, [row[0] for row in page.rows])
    return Page(lines, page.last)


def _subject(line: Line) -> Markup:
    return link_to(line.entry.subject_kind, line.entry.subject_id)


VIEW = ListView(
    title="Audit log",
    columns=(
        Column("What", lambda line: line.what),
        Column("When", lambda line: moment(line.entry.at)),
        Column("Who", lambda line: line.who),
        Column("To what", _subject, priority=2),
        Column("Why", lambda line: line.entry.reason or "", priority=3),
    ),
    fetch=_fetch,
    row=lambda line: line,
    filters=(
        Filter("subject_kind", "About", {
            kind: kind.replace("_", " ") for kind in sorted(subjects.PREFIXES)
        }),
        Filter("action", "Action"),
        Filter("actor", "Who (such as user:1)"),
    ),
    empty="Nothing was done yet.",
    empty_icon="history",
)  # fmt: skip
