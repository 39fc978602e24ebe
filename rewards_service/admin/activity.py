"""Who did what, as people read it: entries of the audit log with names instead of numbers."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
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

# Kind of actor -> the column of its name, its key, and the words around the name.
_NAMED: dict[str, tuple[Any, Any, str]] = {
    "user": (User.email, User.id, "{}"),
    "key": (ApiKey.name, ApiKey.id, "API key {}"),
}

# What the log writes as nobody says it.
_KINDS = {"program": "programme", "program_level": "level", "api_key": "API key"}
_DEEDS = {"reconcile": "comparison asked for", "backfill_begun": "history import begun"}


class Line(NamedTuple):
    """An entry, who did it, and what was done, in words."""

    entry: AuditEntry
    who: str
    what: str

    @property
    def deed(self) -> str:
        """What was done, where it is plain to what: on the page of the thing."""
        return _deed(self.entry.action)


def activity_of(session: Session, kind: str, key: int, limit: int = 20) -> list[Line]:
    """What was done to one thing, the newest first."""
    wanted = {"subject_kind": kind, "subject_id": key}
    page = queries.list_entries(session, Paging(limit, descending=True, after=None), wanted)
    return told(session, [row[0] for row in page.rows])


def told(session: Session, entries: Sequence[AuditEntry]) -> list[Line]:
    """Entries in words."""
    names = names_of(session, {entry.actor for entry in entries})
    return [Line(entry, names[entry.actor], _what(entry.action)) for entry in entries]


def names_of(session: Session, actors: Collection[str]) -> dict[str, str]:
    """Actor, as the audit log says it -> who that is, as people say it."""
    names = dict(_MACHINES)
    for kind, (column, key, told) in _NAMED.items():
        wanted = {int(actor.partition(":")[2]) for actor in actors if actor.startswith(f"{kind}:")}
        if wanted:
            found: Any = session.execute(select(key, column).where(key.in_(wanted)))
            names |= {f"{kind}:{one}": told.format(name) for one, name in found}
    return {actor: names.get(actor) or _by_id(actor) for actor in actors}


def actor_called(session: Session, text: str) -> str:
    """The actor, as the audit log says it, whom people call so; what means nobody stays as it is.

    `text`: a user's e-mail address or id, the id of an API key, or how the log itself says it.
    """
    for prefix, kind in (("usr", "user"), ("key", "key")):
        if (key := ids.decode(prefix, text)) is not None:
            return f"{kind}:{key}"
    if "@" in text:
        user = session.scalar(select(User.id).where(User.email == text.lower()))
        return text if user is None else f"user:{user}"
    return next((actor for actor, words in _MACHINES.items() if words == text.lower()), text)


def kind_called(kind: str) -> str:
    """A kind of thing, as pages call it."""
    return _KINDS.get(kind) or kind.replace("_", " ")


def _what(action: str) -> str:
    kind, _, deed = action.partition(".")
    return f"{kind_called(kind)}: {_DEEDS.get(deed) or deed.replace('_', ' ')}"


def _deed(action: str) -> str:
    return _what(action).partition(": ")[2].capitalize()


def _by_id(actor: str) -> str:
    kind, _, number = actor.partition(":")
    return f"API key {ids.encode('key', int(number))}" if kind == "key" else actor
