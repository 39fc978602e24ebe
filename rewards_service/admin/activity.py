"""Who did what, as people read it: entries of the audit log with names instead of numbers."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import User
from rewards_service.audit import queries
from rewards_service.audit.models import AuditEntry
from rewards_service.kit import ids
from rewards_service.kit.pages import Paging

_MACHINES = {
    "machine": "the service",
    "timer": "the clock",
    "cli": "the command line",
    "link": "a link",
    "oidc": "single sign-on",
}


class Line(NamedTuple):
    """An entry, who did it, and what was done, in words."""

    entry: AuditEntry
    who: str
    what: str


def activity_of(session: Session, kind: str, key: int, limit: int = 20) -> list[Line]:
    """What was done to one thing, the newest first."""
    wanted = {"subject_kind": kind, "subject_id": key}
    page = queries.list_entries(session, Paging(limit, descending=True, after=None), wanted)
    return told(session, [row[0] for row in page.rows])


def told(session: Session, entries: Sequence[AuditEntry]) -> list[Line]:
    """Entries in words."""
    names = names_of(session, {entry.actor for entry in entries})
    return [Line(entry, names[entry.actor], _deed(entry.action)) for entry in entries]


def names_of(session: Session, actors: Collection[str]) -> dict[str, str]:
    """Actor, as the audit log says it -> who that is, as people say it."""
    keys = {int(actor[5:]) for actor in actors if actor.startswith("user:")}
    found: Any = session.execute(select(User.id, User.email).where(User.id.in_(keys)))
    names = {f"user:{key}": email for key, email in found} | _MACHINES
    return {actor: names.get(actor) or _key(actor) for actor in actors}


def _deed(action: str) -> str:
    kind, _, deed = action.partition(".")
    return f"{kind}: {deed}".replace("_", " ")


def _key(actor: str) -> str:
    kind, _, number = actor.partition(":")
    return f"API key {ids.encode('key', int(number))}" if kind == "key" else actor
