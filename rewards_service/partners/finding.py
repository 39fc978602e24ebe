"""Which partners people mean, who name them in files and on the command line."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.db import chunks, is_postgresql
from rewards_service.kit.emails import key_or_none
from rewards_service.partners.models import Partner

UNKNOWN = "There is no such partner."
_LAST_CHARACTER = chr(0x10FFFF)
AMBIGUOUS = "More than one partner is called so: name its id."


def find_partners(session: Session, names: Collection[str]) -> dict[str, int | str]:
    """Name -> the key of the partner of this id, external id or e-mail; or why there is none.

    An e-mail address is found in any spelling. A few queries, however many names.
    """
    ways: dict[Any, dict[str, Any]] = {
        Partner.id: {name: ids.decode("par", name) for name in names},
        Partner.external_id: {name: name for name in names},
        Partner.email_key: {name: key_or_none(name) for name in names},
    }
    having = {column: _having(session, column, of.values()) for column, of in ways.items()}
    found: dict[str, int | str] = {}
    for name in names:
        meant = {key for column, of in ways.items() for key in having[column].get(of[name], ())}
        found[name] = meant.pop() if len(meant) == 1 else AMBIGUOUS if meant else UNKNOWN
    return found


def partners_called(session: Session, beginning: str, limit: int) -> Sequence[Partner]:
    """Partners whose name begins so, in any case, by name. SQLite folds ASCII letters only."""
    name, first = func.lower(Partner.name), beginning.lower()
    order: Any = name
    at_least, below = ">=", "<"
    if is_postgresql(session):  # the operators of the index, which know bytes and no language
        at_least, below, order = "~>=~", "~<~", name.op("USING")(text("~<~"))
    query = select(Partner).where(
        name.op(at_least, is_comparison=True)(first),
        name.op(below, is_comparison=True)(first + _LAST_CHARACTER),
    )
    return session.scalars(query.order_by(order).limit(limit)).all()


def meant_by(wanted: str) -> ColumnElement[bool]:
    """Partners of this id, external id or e-mail address, or whose name begins so.

    For a list, which goes through the partners by their id: they are some thousands.
    """
    wanted = wanted.replace("\x00", "")  # no database keeps it
    small = wanted.lower()
    # SQLite makes small letters of ASCII only: other names are found as they are written mostly.
    names = [Partner.name.startswith(form, autoescape=True)
             for form in {wanted, small.capitalize(), small.title(), wanted.upper()}]  # fmt: skip
    names.append(func.lower(Partner.name).startswith(small, autoescape=True))
    found = or_(*names, Partner.external_id == wanted)
    if (key := ids.decode("par", wanted)) is not None:
        found = or_(found, Partner.id == key)
    if (address := key_or_none(wanted)) is not None:
        found = or_(found, Partner.email_key == address)
    return found


def _having(session: Session, column: Any, values: Collection[Any]) -> dict[Any, list[int]]:
    """Value -> the partners that have it in a column."""
    found: dict[Any, list[int]] = defaultdict(list)
    kept = {value for value in values if value is not None and "\x00" not in str(value)}
    for some in chunks(sorted(kept)):  # no database keeps a NUL, and PostgreSQL refuses to look
        for value, key in session.execute(select(column, Partner.id).where(column.in_(some))):
            found[value].append(key)
    return found
