"""One simulated Chargebee site: its records, its clock and its ids, as plain Python (pure).

A record is the object as it goes over the wire. Nothing is drawn from a random source: ids are
digests of the seed and a counter, so that the same calls make the same bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from rewards_service.simulator.errors import duplicate, not_found

Row = dict[str, Any]
Place = tuple[int, int]  # (value of the sorted member, serial): where a list stands

KINDS = (
    "customer", "item_family", "item", "item_price", "plan", "addon", "subscription", "invoice",
    "credit_note", "transaction", "gift", "event", "webhook_endpoint",
)  # fmt: skip
# What 1 unit of each currency is worth in the site's base currency, USD.
RATES = {
    "USD": Decimal("1.0"), "EUR": Decimal("1.0825"), "GBP": Decimal("1.2719"),
    "JPY": Decimal("0.0064"), "KWD": Decimal("3.2541"),
}  # fmt: skip
BASE_CURRENCY = "USD"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_UNVERSIONED = ("event", "webhook_endpoint")  # these have no updated_at and resource_version


@dataclass(slots=True)
class Table:
    """The records of one kind, in the order in which they were made."""

    rows: dict[str, Row] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)  # (made at, serial)
    of_customer: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    order: list[tuple[Place, str]] = field(default_factory=list)
    orders: dict[str, list[tuple[Place, str]]] = field(default_factory=dict)  # by other members

    def sorted_by(self, member: str | None) -> list[tuple[Place, str]]:
        """Every record's place and id, by a time member or (None) by when it was made."""
        if member is None:
            return self.order
        if member not in self.orders:
            self.orders[member] = sorted(
                ((int(row.get(member) or 0), self.places[key][1]), key)
                for key, row in self.rows.items()
            )
        return self.orders[member]

    def after(self, member: str | None, place: Place | None) -> Iterator[str]:
        ordered = self.sorted_by(member)
        start = 0 if place is None else bisect_right(ordered, place, key=lambda item: item[0])
        return (ordered[position][1] for position in range(start, len(ordered)))

    def before(self, member: str | None, place: Place | None) -> Iterator[str]:
        ordered = self.sorted_by(member)
        end = len(ordered)
        if place is not None:
            end = bisect_left(ordered, place, key=lambda item: item[0])
        return (ordered[position][1] for position in range(end - 1, -1, -1))


class Site:
    """The state of a site. `now_ms` is its clock; it moves by a millisecond with every change."""

    def __init__(self, seed: int = 1, now_ms: int = 1_767_225_600_000) -> None:
        self.seed = seed
        self.now_ms = now_ms
        self.serial = 0
        self.counters: dict[str, int] = {}
        self.tables = {kind: Table() for kind in KINDS}
        self.cards: dict[str, Row] = {}  # by customer
        self.outbox: dict[int, Row] = {}  # webhook calls that are to be made, see delivery
        self.source = "api"
        self.user: str | None = None
        self.silent = False  # events of this moment reach no endpoint
        self.unrecorded = False  # history older than the event log: no event at all

    @property
    def now(self) -> int:
        """The site's time in epoch seconds."""
        return self.now_ms // 1000

    def move_to(self, now_ms: int) -> None:
        """Time never goes back."""
        self.now_ms = max(self.now_ms, now_ms)

    def new_id(self, prefix: str = "") -> str:
        """An id such as txn_AzqYRySIstMLf6N: never the same twice, the same in every run."""
        number = int.from_bytes(self._digest(f"id:{prefix}:{self._count('id')}"), "big")
        letters = []
        for _ in range(16):
            number, letter = divmod(number, 62)
            letters.append(_LETTERS[letter])
        return f"{prefix}_{''.join(letters)}" if prefix else "".join(letters)

    def new_number(self, kind: str) -> str:
        return str(self._count(kind))

    def chance(self, what: str) -> float:
        """A number from 0 to below 1, fixed by the seed and `what`."""
        return int.from_bytes(self._digest(what)[:7], "big") / 2**56

    def _digest(self, text: str) -> bytes:
        return blake2b(f"{self.seed}:{text}".encode(), digest_size=14).digest()

    def _count(self, name: str) -> int:
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def add(self, kind: str, row: Row, made_at: int | None = None) -> Row:
        """Keep a new record. Raises ApiError duplicate_entry when its id is taken."""
        table = self.tables[kind]
        key = row["id"]
        if key in table.rows:
            raise duplicate("id", key)
        self.serial += 1
        place = (self.now if made_at is None else made_at, self.serial)
        table.rows[key] = row
        table.places[key] = place
        insort(table.order, (place, key))
        if owner := row.get("customer_id"):
            table.of_customer[owner].append(key)
        self.touch(kind, row)
        return row

    def touch(self, kind: str, row: Row) -> None:
        """The record changed now: its version grows."""
        self.now_ms += 1
        if kind not in _UNVERSIONED:
            row["updated_at"] = self.now
            row["resource_version"] = self.now_ms
        self.tables[kind].orders.clear()

    def find(self, kind: str, key: str | None, deleted: bool = False) -> Row:
        """The record. Raises ApiError resource_not_found; a deleted one counts only if asked."""
        row = self.tables[kind].rows.get(key or "")
        if row is None or (row.get("deleted") and not deleted):
            raise not_found(kind, key or "")
        return row

    def of_customer(self, kind: str, customer_id: str) -> list[Row]:
        """The customer's records that are not deleted, oldest first."""
        table = self.tables[kind]
        rows = (table.rows[key] for key in table.of_customer.get(customer_id, ()))
        return [row for row in rows if not row.get("deleted")]
