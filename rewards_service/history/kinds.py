"""What a backfill fetches, in which order: one row for each list (pure)."""

from typing import NamedTuple

from rewards_service.mirror.service import MODELS


class List(NamedTuple):
    """A list of the API: its kind in answers, and its name at `Chargebee`.

    may_be_refused: some sites have no such list and say so with an error.
    """

    kind: str
    path: str
    may_be_refused: bool = False


ALL = (
    List("customer", "customers"),
    List("item_family", "item_families", may_be_refused=True),
    List("item", "items", may_be_refused=True),
    List("item_price", "item_prices", may_be_refused=True),
    List("plan", "plans", may_be_refused=True),
    List("addon", "addons", may_be_refused=True),
    List("subscription", "subscriptions"),
    List("invoice", "invoices"),
    List("transaction", "transactions"),
    List("credit_note", "credit_notes"),
)
# What the mirror does not know has nowhere to go.
LISTS = {one.kind: one for one in ALL if one.kind in MODELS}
