"""Drafts that are made by themselves, on both databases."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from rewards_service.kit.db import transaction
from rewards_service.kit.errors import Unprocessable
from rewards_service.partners.models import Enrolment
from rewards_service.payouts import schedules
from rewards_service.payouts.jobs import drain
from rewards_service.payouts.models import Payout, PayoutRun, PayoutSchedule
from rewards_service.programs.models import Program
from tests.payouts.books import Books

FIRST = date(2026, 4, 1)


def schedule(books: Books, from_on: date = FIRST, **wanted: Any) -> int:
    """A schedule that is on since a day in the past."""
    terms = {"kind": "monthly", "day": 1, "program_id": None, "thresholds": {}, "enabled": True}
    with transaction(books.engine) as session:
        made = schedules.create_schedule(session, {**terms, **wanted}, "test")
        made.from_on = from_on
        return made.id


def due(books: Books, at: datetime) -> list[date]:
    with transaction(books.engine) as session:
        return [day for _, day in schedules.due_schedules(session, at)]


def run(books: Books, key: int, on: date) -> int | None:
    with transaction(books.engine) as session:
        return schedules.run(session, key, on)


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


class TestDueSchedules:
    def test_a_day_is_due_until_it_was_run_and_not_before_it_was_set_up(self, books: Books) -> None:
        key = schedule(books, from_on=date(2026, 3, 10))
        assert due(books, noon(2026, 3, 31)) == []
        assert due(books, noon(2026, 4, 1)) == [FIRST]

        run(books, key, FIRST)
        assert due(books, noon(2026, 4, 30)) == []
        assert due(books, noon(2026, 5, 1)) == [date(2026, 5, 1)]

    def test_after_a_long_stop_the_newest_day_alone_is_caught_up(self, books: Books) -> None:
        schedule(books)

        assert due(books, noon(2026, 8, 20)) == [date(2026, 8, 1)]

    def test_days_are_those_of_the_programmes_time_zone(self, books: Books) -> None:
        with transaction(books.engine) as session:
            program = Program(name="Down under", timezone="Pacific/Auckland")
            session.add(program)
            session.flush()
            key = program.id
        schedule(books, program_id=key)

        assert due(books, datetime(2026, 3, 31, 12, tzinfo=UTC)) == [FIRST]

    def test_what_is_off_is_never_due(self, books: Books) -> None:
        schedule(books, enabled=False)

        assert due(books, noon(2026, 8, 1)) == []


class TestRun:
    def test_it_makes_drafts_in_every_currency_for_the_cut_off_of_its_day(
        self, books: Books
    ) -> None:
        ann = books.partner()
        books.reward(ann, 1_000)
        books.reward(ann, 900, currency="EUR")
        books.reward(ann, 50, available_on=date(2026, 4, 2))
        key = schedule(books)

        assert run(books, key, FIRST) == 2
        with transaction(books.engine) as session:
            made = session.scalars(select(Payout).order_by(Payout.currency)).all()
        found = [(p.currency, p.total_minor, p.cut_off_on, p.status, p.schedule_id) for p in made]
        assert found == [
            ("EUR", 900, FIRST, "draft", key), ("USD", 1_000, FIRST, "draft", key),
        ]  # fmt: skip
        assert {p.created_by for p in made} == {"machine"}

    def test_a_day_is_run_once_whoever_tries(self, books: Books) -> None:
        key = schedule(books)
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: run(books, key, FIRST), range(4)))

        assert sorted(made, key=str) == [0, None, None, None]
        with transaction(books.engine) as session:
            assert session.scalars(select(PayoutRun.due_on)).all() == [FIRST]

    def test_a_threshold_schedule_pays_what_has_reached_it_in_its_currencies_alone(
        self, books: Books
    ) -> None:
        """DOMAIN V6."""
        ann, bob = books.partner("Ann"), books.partner("Bob")
        books.reward(ann, 5_000)
        books.reward(bob, 4_999)
        books.reward(bob, 9_000, currency="EUR")
        key = schedule(books, kind="threshold", thresholds={"USD": 5_000})

        assert run(books, key, FIRST) == 1
        with transaction(books.engine) as session:
            assert session.scalars(select(Payout.partner_id)).all() == [ann]

    def test_a_programmes_schedule_is_for_its_partners(self, books: Books) -> None:
        ann, bob = books.partner("Ann"), books.partner("Bob")
        books.reward(ann, 100)
        books.reward(bob, 100)
        with transaction(books.engine) as session:
            program = Program(name="Agencies", timezone="UTC")
            session.add(program)
            session.flush()
            session.add(Enrolment(partner_id=bob, program_id=program.id))
            key = program.id

        assert run(books, schedule(books, program_id=key), FIRST) == 1
        with transaction(books.engine) as session:
            assert session.scalars(select(Payout.partner_id)).all() == [bob]


class TestDrain:
    def test_it_runs_what_is_due_and_then_nothing(self, books: Books) -> None:
        books.reward(books.partner(), 100)
        schedule(books)
        schedule(books, kind="quarterly")

        assert (drain(books.engine), drain(books.engine)) == (2, 0)

    def test_one_that_fails_does_not_stop_the_others(
        self, books: Books, caplog: pytest.LogCaptureFixture
    ) -> None:
        books.reward(books.partner(), 100)
        broken = schedule(books)
        schedule(books)
        with transaction(books.engine) as session:
            session.get_one(PayoutSchedule, broken).thresholds = "not a table"
        with caplog.at_level(logging.ERROR):
            assert drain(books.engine) == 1

        assert "is tried again" in caplog.text


class TestChangeSchedule:
    def test_switched_on_it_makes_nothing_for_days_gone_by(self, books: Books) -> None:
        key = schedule(books, enabled=False)
        with transaction(books.engine) as session:
            changed = schedules.change_schedule(session, key, {"enabled": True}, "test")
            assert changed.from_on == datetime.now(UTC).date()

    def test_other_thresholds_change_no_day(self, books: Books) -> None:
        key = schedule(books)
        with transaction(books.engine) as session:
            changed = schedules.change_schedule(session, key, {"thresholds": {"USD": 5}}, "test")
            assert changed.from_on == FIRST

    def test_it_is_refused_what_cannot_work(self, books: Books) -> None:
        key = schedule(books)
        for wanted in ({"kind": "threshold"}, {"program_id": 4_711}):
            with pytest.raises(Unprocessable), transaction(books.engine) as session:
                schedules.change_schedule(session, key, wanted, "test")

    def test_deleted_it_leaves_its_payouts(self, books: Books) -> None:
        books.reward(books.partner(), 100)
        key = schedule(books)
        run(books, key, FIRST)
        with transaction(books.engine) as session:
            schedules.delete_schedule(session, key, "test")

        with transaction(books.engine) as session:
            assert len(session.scalars(select(Payout)).all()) == 1
            assert session.scalars(select(PayoutSchedule)).all() == []
