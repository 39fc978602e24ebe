import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from rewards_service.reports.digest import digest, sections
from rewards_service.settings import Settings
from tests.reports.books import Books, Event, payment, refund

ADA, BOB, EVE = "ada@customer-one.example", "bob@two.example", "eve@three.example"
EVENTS: list[Event] = [
    payment(1, 4500),
    payment(2, 9000, invoices={"inv2": 4000, "inv3": 5000}, day=3),
    payment(3, 1999, email=BOB, customer="c2", day=1),
    payment(4, 777, email=BOB, customer="c2", day=4),
    payment(5, 500, email=EVE, customer="c3", day=2),
    refund(1, 1500, of=1),
    refund(2, 777, of=4, customer="c2", day=11),
    refund(3, 100, of=99, day=12),
    {**payment(6), "id": "ev_bad", "content": {"transaction": None}},
    {**payment(7), "id": "ev_other", "event_type": "coupon_created"},
]


def people(books: Books) -> Books:
    first, second = books.add_partner("First"), books.add_partner("Second")
    books.add_lead(first, ADA)
    books.add_lead(second, ADA)
    books.add_deal(second, BOB, name="Big")
    books.add_deal(first, BOB, name="Small")
    return books


@pytest.fixture
def fresh(
    tmp_path: Path, sqlite_template: Path, settings: Settings
) -> Iterator[Callable[[], Books]]:
    """Makes further books, each on a SQLite file of its own."""
    made: list[Books] = []

    def make() -> Books:
        path = tmp_path / f"{len(made)}.db"
        shutil.copyfile(sqlite_template, path)
        engine = create_engine(f"sqlite:///{path}")
        made.append(people(Books(engine, settings)))
        return made[-1]

    yield make
    for books in made:
        books.close()
        books.engine.dispose()


def sections_of(engine: Engine) -> dict[str, str]:
    with Session(engine) as session:
        return sections(session)


class TestDigest:
    def test_is_a_sha256(self, session: Session) -> None:
        text = digest(session)

        assert text.startswith("sha256:")
        assert len(bytes.fromhex(text.removeprefix("sha256:"))) == 32

    @pytest.mark.parametrize("together", [1, 3, 100])
    def test_the_order_of_arrival_leaves_no_trace_on_either_database(
        self, books: Books, fresh: Callable[[], Books], together: int
    ) -> None:
        """DOMAIN M16, M17, V10."""
        people(books).play(EVENTS)
        expected = sections_of(books.engine)
        orders = [EVENTS[::-1], EVENTS * 2]
        for seed in range(3):
            shuffled = EVENTS[:]
            random.Random(seed).shuffle(shuffled)  # noqa: S311
            orders.append(shuffled)

        for order in orders:
            other = fresh()
            other.play(order, together)
            assert sections_of(other.engine) == expected

    @pytest.mark.parametrize(
        ("changed", "differ"),
        [
            (payment(1, 4600), {"transactions", "rewards", "balances", "mirror"}),
            (payment(1, email="x@y.example"), {"customers", "leads", "transactions", "rewards",
                                               "balances", "mirror", "events"}),
            (refund(1, 1400, of=1), {"transactions", "rewards", "balances", "mirror"}),
        ],
        ids=["amount", "payer", "refund"],
    )  # fmt: skip
    def test_another_event_is_another_digest(
        self, books: Books, fresh: Callable[[], Books], changed: Event, differ: set[str]
    ) -> None:
        events = [payment(1), refund(1, 1500, of=1)]
        other = fresh()
        other.play(events)
        people(books).play(changed if changed["id"] == event["id"] else event for event in events)

        here, there = sections_of(books.engine), sections_of(other.engine)
        assert {name for name in here if here[name] != there[name]} == differ

    @pytest.mark.parametrize(
        ("statement", "section"),
        [
            ("UPDATE customers SET name = 'Other'", "customers"),
            ("UPDATE leads SET superseded_by_id = NULL", "leads"),
            ("UPDATE deals SET stage = 'won'", "deals"),
            ("UPDATE transactions SET reason = 'no_rule'", "transactions"),
            ("UPDATE transactions SET refunded_minor = 1", "transactions"),
            ("UPDATE rewards SET status = 'approved', hold_reason = NULL", "rewards"),
            ("UPDATE chargebee_invoices SET deleted = true", "mirror"),
            ("UPDATE received_events SET outcome = 'ignored'", "events"),
        ],
    )
    def test_every_section_has_its_say(self, books: Books, statement: str, section: str) -> None:
        people(books).play(EVENTS, together=100)
        before = sections_of(books.engine)
        books.change(statement)

        after = sections_of(books.engine)
        assert {name for name in after if after[name] != before[name]} == {section}

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE customers SET created_at = updated_at, id = id",
            "UPDATE received_events SET attempts = 3, results = NULL",
            "UPDATE rewards SET explanation = '{}'",
            "UPDATE transactions SET created_at = occurred_at",
        ],
    )
    def test_our_own_times_and_notes_are_not_in_it(self, books: Books, statement: str) -> None:
        people(books).play(EVENTS, together=100)
        before = sections_of(books.engine)
        books.change(statement)

        assert sections_of(books.engine) == before

    def test_a_reward_that_came_and_went_equals_one_that_never_came(
        self, books: Books, fresh: Callable[[], Books]
    ) -> None:
        people(books).play([payment(1, day=1), refund(1, 4500, of=1)])
        other = fresh()
        other.play([refund(1, 4500, of=1), payment(1, day=1)], together=2)

        assert sections_of(books.engine) == sections_of(other.engine)

    def test_sums_beyond_63_bits_are_exact(self, books: Books) -> None:
        """DOMAIN A1."""
        events: list[Any] = [payment(n, 2**63 - 1, day=n) for n in range(1, 8)]
        people(books).play(events, together=100)

        with Session(books.engine) as session:
            assert digest(session).startswith("sha256:")
