"""The audit log: who did what to what, and why."""

from typing import Any, NamedTuple

from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import User
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Filter, ListView
from rewards_service.admin.pages import Pages, show
from rewards_service.audit import queries, subjects
from rewards_service.audit.models import AuditEntry
from rewards_service.kit import ids
from rewards_service.kit.pages import Page, Paging

blueprint = Pages("audit_pages")
_MACHINES = {"machine": "the service", "cli": "the command line", "link": "a link"}


class Line(NamedTuple):
    """An entry, and who did it in words."""

    entry: AuditEntry
    who: str


@blueprint.page("/audit", permission="audit:read")
def list_entries() -> ResponseReturnValue:
    """The newest entries first."""
    return show("list.html", **VIEW.values())


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    page = queries.list_entries(session, paging, chosen)
    entries = [row[0] for row in page.rows]
    keys = {int(entry.actor[5:]) for entry in entries if entry.actor.startswith("user:")}
    found: Any = session.execute(select(User.id, User.email).where(User.id.in_(keys)))
    names = {f"user:{key}": email for key, email in found} | _MACHINES
    lines: Any = [Line(entry, names.get(entry.actor) or _key(entry.actor)) for entry in entries]
    return Page(lines, page.last)


def _key(actor: str) -> str:
    kind, _, number = actor.partition(":")
    return f"API key {ids.encode('key', int(number))}" if kind == "key" else actor


def _what(line: Line) -> str:
    kind, _, deed = line.entry.action.partition(".")
    return f"{kind}: {deed}".replace("_", " ")


def _subject(line: Line) -> str:
    return subjects.public_id(line.entry.subject_kind, line.entry.subject_id)


VIEW = ListView(
    title="Audit log",
    columns=(
        Column("What", _what),
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
