"""What the clock does with rewards (DOMAIN V5)."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.kit.queue import DOORBELLS, TIMERS
from rewards_service.programs.models import Program
from rewards_service.rewards import timers
from rewards_service.transactions.service import mark_due
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World
from tests.rewards.bookkeeping import accounts, history, review, rewards, shown, violations

EMAIL = "ada@customer.example"
UNTIL = date(2150, 3, 31)
# Available thirty days after the payment of 2026-01-01.
DAY_BEFORE, ON_DAY = datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def books(world: World) -> World:
    """A reward of 20.00 that is available on 2026-01-31."""
    world.add_version(world.rule, 2, 200_000, hold_days=30)
    world.lead(EMAIL, world.partner())
    world.receive(paid("1", "cb1", EMAIL))
    return world


def programme(world: World, **members: str) -> None:
    with transaction(world.engine) as session:
        session.execute(update(Program).values(**members))


def at(world: World, moment: datetime) -> int:
    """Let the clock act; due is what it acts on, and nothing is left."""
    with Session(world.engine) as session:
        due = timers.has_due(session, moment)
    moved = timers.run(world.engine, moment)
    with Session(world.engine) as session:
        assert not timers.has_due(session, moment)
    assert bool(moved) == due
    return moved


class TestApproval:
    def test_a_programme_approves_by_itself_on_the_day(self, books: World) -> None:
        """DOMAIN V5: a timer only moves the status."""
        programme(books, approval="auto")
        (before,) = rewards(books)

        assert at(books, DAY_BEFORE) == 0
        assert at(books, ON_DAY) == 1
        assert at(books, ON_DAY) == 0
        assert history(books, before.id) == [("pending", "approved", "timer")]
        assert shown(books) == [(1, "approved", 2_000)]
        assert accounts(books) == {"expense": 2_000, "payable_approved": -2_000}
        assert rewards(books)[0].available_on == before.available_on
        assert all(customer.pinned for customer in books.customers())
        assert violations(books) == {}

    def test_otherwise_a_person_does(self, books: World) -> None:
        assert at(books, datetime(2100, 1, 1, tzinfo=UTC)) == 0
        assert rewards(books)[0].status == "pending"

    def test_the_day_is_that_of_the_programme(self, books: World) -> None:
        """DOMAIN V5: in Auckland it begins 13 hours before UTC's, in Honolulu 10 after."""
        programme(books, approval="auto", timezone="Pacific/Honolulu")
        assert at(books, ON_DAY) == 0

        programme(books, timezone="Pacific/Auckland")
        assert at(books, DAY_BEFORE) == 1

    def test_a_refund_does_not_reset_the_clock(self, books: World) -> None:
        """DOMAIN V5."""
        programme(books, approval="auto")
        books.receive(refunded("r", "txn_1", 5_000, 20))

        assert at(books, ON_DAY) == 1
        assert shown(books) == [(1, "approved", 1_000)]

    def test_what_is_held_waits_and_what_is_to_be_worked_out_comes_first(
        self, books: World
    ) -> None:
        """DOMAIN V2: there may be a reason for a hold."""
        programme(books, approval="auto")
        books.receive(paid("2", "cb1", EMAIL))
        held, due = rewards(books)
        review(books, "hold", held.id)
        with transaction(books.engine) as session:
            mark_due(session, {(due.integration_id, due.invoice_id): None})

        assert at(books, ON_DAY) == 0
        books.drain()
        assert at(books, ON_DAY) == 1
        assert [row.status for row in rewards(books)] == ["hold", "approved"]

    def test_many_are_moved_in_batches(self, books: World) -> None:
        programme(books, approval="auto")
        books.accept(*(paid(str(number), "cb1", EMAIL) for number in range(2, 6)))
        books.drain()

        assert timers.run(books.engine, ON_DAY, batch=2) == 5
        assert {row.status for row in rewards(books)} == {"approved"}


class TestHolds:
    def test_a_hold_ends_when_its_last_day_is_over(self, books: World) -> None:
        """DOMAIN V5."""
        review(books, "hold", until=UNTIL)
        (reward,) = rewards(books)

        assert at(books, datetime(2150, 3, 31, 23, tzinfo=UTC)) == 0
        assert at(books, datetime(2150, 4, 1, tzinfo=UTC)) == 1
        assert history(books, reward.id)[-1] == ("hold", "pending", "timer")
        assert (rewards(books)[0].hold_reason, rewards(books)[0].hold_until_on) == (None, None)

    def test_one_without_a_last_day_does_not(self, books: World) -> None:
        review(books, "hold")

        assert at(books, datetime(2199, 1, 1, tzinfo=UTC)) == 0


class TestRunDue:
    def test_workers_know_it(self, engine: Engine) -> None:
        assert DOORBELLS[TIMERS] == "rewards_service.rewards.timers.run_due"
        assert timers.run(engine) == 0
