"""What people type into a search or a filter, as the API's own parameters.

The address always ends up with the names and values that the API knows: so it can be shared, and
the same list as a file needs nothing but the same parameters.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from rewards_service.admin.lists import ListView, asked
from rewards_service.admin.pages import show
from rewards_service.admin.places import place_of
from rewards_service.audit.subjects import PREFIXES, public_id
from rewards_service.kit import ids
from rewards_service.kit.clock import instant, rfc3339
from rewards_service.kit.emails import key_or_none
from rewards_service.kit.fields import InstantOrDay
from rewards_service.kit.pages import Page
from rewards_service.kit.web import current_session
from rewards_service.partners.finding import find_partners

NOTHING = Page((), None)
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
_TIMES = {"occurred_at[gte]": "occurred_from", "occurred_at[lt]": "occurred_before"}
_EMAILS = ("email", "contact_email")
_QUERIED = {**_TIMES, **dict.fromkeys(_EMAILS, "email_key")}


class Sought(NamedTuple):
    """How a list is searched: the field, and where a text goes that is no e-mail and no id."""

    name: str
    others: Callable[[Session, str], Mapping[str, str]]
    emails: Callable[[Session, str], Mapping[str, str] | None] = lambda _session, _text: None


def answer(view: ListView, sought: Sought, template: str, **values: Any) -> ResponseReturnValue:
    """The list; or the way to what the search or the filter by partner means."""
    elsewhere = _elsewhere(current_session(), sought)
    if elsewhere is not None:
        return redirect(elsewhere)
    shown = view.values()
    if view.export:
        wanted = {name: _as_api(name, text) for name, text in shown["chosen"].items()}
        shown["export_url"] = f"{view.export}?{urlencode(wanted)}".rstrip("?")
    return show(template, **shown, **values)


def _elsewhere(session: Session, sought: Sought) -> str | None:
    text = asked(sought.name)
    prefix, _, rest = text.partition("_")
    key = ids.decode(prefix, text) if rest else None
    if key is not None and prefix in _KINDS:
        return place_of(_KINDS[prefix], key)
    changed: dict[str, str | None] = {}
    if text:
        find = sought.emails if "@" in text else sought.others
        found = find(session, text)
        if found is not None and found.get(sought.name) != text:
            changed = {sought.name: None, **found}
    changed |= _partner(session)
    if not changed:
        return None
    left = {**request.args.to_dict(), **changed}
    left.pop("cursor", None)
    return f"{request.path}?{urlencode({name: value for name, value in left.items() if value})}"


def _partner(session: Session) -> dict[str, str | None]:
    """A partner named by e-mail or external id, by its id; what names none stays as it is."""
    text = asked("partner_id")
    if not text or ids.decode("par", text) is not None:
        return {}
    found = find_partners(session, [text])[text]
    return {} if isinstance(found, str) else {"partner_id": public_id("partner", found)}


def understood(chosen: Mapping[str, str]) -> dict[str, Any] | None:
    """Filters of an address as the lists' queries take them; None when nothing can fit them."""
    wanted: dict[str, Any] = {}
    for name, text in chosen.items():
        value: Any = text
        if name in _EMAILS:
            value = key_or_none(text)
        elif name.endswith("_id") and name[:-3] in PREFIXES:
            value = ids.decode(PREFIXES[name[:-3]], text)
        elif name in _TIMES:
            value = _time(text)
        if value is None:
            return None
        wanted[_QUERIED.get(name, name)] = value
    return wanted


def _time(text: str) -> datetime | None:
    """A time, or the beginning of a day in UTC."""
    try:
        found: Any = InstantOrDay().deserialize(text)
    except ValidationError:
        return None
    return instant(found, "UTC")


def _as_api(name: str, text: str) -> str:
    """The value of a filter as the API takes it: a day is a time there."""
    at = _time(text) if name in _TIMES else None
    return text if at is None else rfc3339(at)
