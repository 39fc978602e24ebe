"""Keys that are bound to one partner: whose rows a request may see.

Nothing is open to such a key unless its operation says so. To open one: publish it with
`for_partners=True`, ask `own_partner()` inside the view, and confine what is read to it:

- a list adds the condition to its query, beside the caller's own filters;
- one thing of another partner is answered exactly as one that does not exist: same status, same
  text. Let the function that finds it raise its NotFound for both (`is_foreign`);
- members that name rows the key may not get are left out or null, in nested objects, too.

A view that says `for_partners=True` and never asks is refused when it is done: what it made is
thrown away, never sent. Ask before a streamed answer begins.
"""

from typing import Any

from flask import g


def confine(partner_id: int | None) -> None:
    """Confine this request to the rows of one partner; None: to nothing."""
    g.own_partner = partner_id
    g.own_partner_asked = False


def own_partner() -> int | None:
    """The partner whose rows alone this request may see; None: everybody's."""
    g.own_partner_asked = True
    return confined_to()


def confined_to() -> int | None:
    """As `own_partner`, for what decides nothing about rows: it does not count as asking."""
    partner_id: int | None = g.get("own_partner")
    return partner_id


def forgot_to_ask() -> bool:
    """Whether a confined request was served without anybody asking whose rows it may see."""
    return confined_to() is not None and not g.get("own_partner_asked", False)


def is_foreign(owner_id: Any, own: int | None) -> bool:
    """Whether a row of `owner_id` is none of a request's that is confined to `own`."""
    return own is not None and owner_id != own
