"""One history, in every order in which its events can arrive: one digest."""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations

import pytest

from tests.builders.chargebee import Json, credit_note, customer, event, invoice, paid, refunded
from tests.builders.whole import Read, read, violations
from tests.builders.world import World
from tests.proofs.machine_base import Place
from tests.proofs.paying import approve_all

ADA = "ada@one.example"
BILL = {"invoice": "inv", "total": 12_000, "tax": 2_000}
# Two payments of one invoice, a refund of the first, the invoice again with something written
# off, a note, and the customer with another e-mail. Nothing in it depends on counters.
HISTORY: list[Json] = [
    paid("a", "cb_1", ADA, 5_000, 0, **BILL),
    paid("b", "cb_1", ADA, 7_000, 1, **BILL),
    refunded("r", "txn_a", 2_500, 2),
    event("ev_bill", "invoice_updated", 3,
          invoice=invoice("inv", "cb_1", 12_000, 3, tax=2_000, write_off_amount=500)),
    event("ev_note", "credit_note_created", 4, credit_note=credit_note("CN", "inv", 1_200, 4)),
    event("ev_who", "customer_changed", 5, customer=customer("cb_1", "new@two.example", 5)),
]  # fmt: skip
# Net 10000 less the note's 1200; 9500 kept of the 12000 - 500 - 1200 that are payable; 20 %.
EARNED = round(8_800 * 9_500 / 10_300 / 5)
Order = tuple[int, ...]
ORDERS: list[Order] = sorted(permutations(range(len(HISTORY))))
OpenWorld = Callable[[], Place]


def some(count: int) -> list[Order]:
    """The order of occurrence, its reverse, and others by chance."""
    chosen = random.Random(6).sample(ORDERS[1:-1], count - 2)  # noqa: S311
    return [ORDERS[0], ORDERS[-1], *chosen]


def play(world: World, order: Sequence[int], approved_after: int | None) -> Read:
    """Tell the history in an order, handling all that is due after each event; the digest.

    `approved_after`: after how many events what is there is approved; at the end all is.
    """
    world.lead(ADA, world.partner("Ann"))
    for place, number in enumerate(order):
        if place == approved_after:
            approve_all(world)
        world.receive(HISTORY[number])
    if approved_after is not None:
        approve_all(world)
    assert world.earned() == EARNED
    assert violations(world.engine) == {}
    return read(world.engine)


def check(open_world: OpenWorld, orders: Iterable[Order], approving: bool = False) -> None:
    """All orders say the same; with `approving`, wherever in between somebody approves."""
    first: Read | None = None
    wrong = {}
    for number, order in enumerate(orders):
        with open_world() as world:
            found = play(world, order, 1 + number % 6 if approving else None)
        first = first or found
        if found != first:
            wrong[order] = [name for name, digest in found.items() if digest != first[name]]
    assert wrong == {}


class TestOneDigest:
    """DOMAIN V10, M15-M18."""

    def test_twelve_orders_on_sqlite(self, on_sqlite: OpenWorld) -> None:
        check(on_sqlite, some(12))

    def test_four_orders_on_postgresql(self, on_postgres: OpenWorld) -> None:
        check(on_postgres, some(4))

    @pytest.mark.slow
    def test_every_order_on_sqlite(self, on_sqlite: OpenWorld) -> None:
        """All 720."""
        check(on_sqlite, ORDERS)


class TestApprovedInBetween:
    """DOMAIN V2, V10: who approves early or late approves the same in the end."""

    def test_seven_orders_on_sqlite(self, on_sqlite: OpenWorld) -> None:
        check(on_sqlite, some(7), approving=True)

    def test_three_orders_on_postgresql(self, on_postgres: OpenWorld) -> None:
        check(on_postgres, some(3), approving=True)

    @pytest.mark.slow
    def test_every_order_on_sqlite(self, on_sqlite: OpenWorld) -> None:
        """All 720."""
        check(on_sqlite, ORDERS, approving=True)
