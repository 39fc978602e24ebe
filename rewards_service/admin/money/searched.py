"""What lists of money share around their rows: tabs by status, chips of limits, what was found."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy.orm import Session

from rewards_service.admin.money import finding, names
from rewards_service.admin.places import place_of
from rewards_service.kit import ids

# Filters that may have no field: title, prefix of the id, how the thing is called.
_NAMED = {
    "partner_id": ("Partner", "par", names.partner_names),
    "customer_id": ("Customer", "cus", names.customer_names),
}


def place(found: finding.Found, exact: Sequence[str] = ()) -> str:
    """The thing that was found, or the list of what belongs to it, other filters kept.

    `exact`: filters that name one thing, which is wanted whatever its status.
    """
    if found.kind is not None:
        return place_of(found.kind, found.key) or request.path
    dropped = {"search", "cursor", *(("status",) if found.name in exact else ())}
    kept = {name: value for name, value in request.args.items() if name not in dropped and value}
    return f"{request.path}?{urlencode({**kept, found.name: found.value})}"


def tabs(statuses: Mapping[str, str], chosen: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """A tab for each status, other filters kept; "" is that of all."""
    rest = {name: value for name, value in chosen.items() if name not in ("status", "search")}
    here = chosen.get("status", "")
    return [
        (title, _address({**rest, **({"status": name} if name else {})}), name == here)
        for name, title in statuses.items()
    ]


def chips(session: Session, values: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Filters without a field: what is limited, to what, and the address without it."""
    chosen = values["chosen"]
    hidden = {one.name for one in values["view"].filters if one.kind == "hidden"} & set(chosen)
    found: list[tuple[str, Any, str]] = []
    for name, (title, prefix, known) in _NAMED.items():
        if name in hidden:
            key = ids.decode(prefix, chosen[name]) or 0
            called = known(session, [key]).get(key, chosen[name])
            found.append((title, names.foreign(called), _without(chosen, name)))
    if "chargebee_invoice_id" in hidden:
        invoice = names.foreign(chosen["chargebee_invoice_id"])
        found.append(("Invoice", invoice, _without(chosen, "chargebee_invoice_id")))
    return found


def _without(chosen: Mapping[str, str], dropped: str) -> str:
    return _address({name: value for name, value in chosen.items() if name != dropped})


def _address(chosen: Mapping[str, str]) -> str:
    return f"{request.path}?{urlencode(chosen)}".rstrip("?")
