"""Which partners people mean, who name them in files and on the command line."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.db import chunks
from rewards_service.kit.emails import BadEmail, strict_key
from rewards_service.partners.models import Partner

UNKNOWN = "There is no such partner."
AMBIGUOUS = "More than one partner is called so: name its id."


def find_partners(session: Session, names: Collection[str]) -> dict[str, int | str]:
    """Name -> the key of the partner of this id, external id or e-mail; or why there is none.

    An e-mail address is found in any spelling. A few queries, however many names.
    """
    ways: dict[Any, dict[str, Any]] = {
        Partner.id: {name: ids.decode("par", name) for name in names},
        Partner.external_id: {name: name for name in names},
        Partner.email_key: {name: _address(name) for name in names},
    }
    having = {column: _having(session, column, of.values()) for column, of in ways.items()}
    found: dict[str, int | str] = {}
    for name in names:
        meant = {key for column, of in ways.items() for key in having[column].get(of[name], ())}
        found[name] = meant.pop() if len(meant) == 1 else AMBIGUOUS if meant else UNKNOWN
    return found


def meant_by(text: str) -> ColumnElement[bool]:
    """Partners of this id, external id or e-mail address, or whose name begins so.

    Partners are some thousands: their names have no index.
    """
    text = text.replace("\x00", "")  # no database keeps it
    small = text.lower()
    # SQLite makes small letters of ASCII only: other names are found as they are written mostly.
    names = [Partner.name.startswith(form, autoescape=True)
             for form in {text, small.capitalize(), small.title(), text.upper()}]  # fmt: skip
    names.append(func.lower(Partner.name).startswith(small, autoescape=True))
    found = or_(*names, Partner.external_id == text)
    if (key := ids.decode("par", text)) is not None:
        found = or_(found, Partner.id == key)
    if (address := _address(text)) is not None:
        found = or_(found, Partner.email_key == address)
    return found


def _address(name: str) -> str | None:
    try:
        return strict_key(name)
    except BadEmail:
        return None


def _having(session: Session, column: Any, values: Collection[Any]) -> dict[Any, list[int]]:
    """Value -> the partners that have it in a column."""
    found: dict[Any, list[int]] = defaultdict(list)
    for some in chunks(sorted(set(values) - {None})):
        for value, key in session.execute(select(column, Partner.id).where(column.in_(some))):
            found[value].append(key)
    return found
