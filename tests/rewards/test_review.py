"""The review of rewards: who may move them where, and what comes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import AttributionConflict
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import rehearsal, transaction
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.rewards.models import STATUSES, RewardStatusChange
from rewards_service.rewards.review import (
    LAWFUL,
    OF_MACHINE,
    Order,
    UnlawfulMove,
    change_each,
    change_status,
)
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.rewards.bookkeeping import (
    PERSON,
    history,
    review,
    rewards,
    shown,
    violations,
)

EMAIL = "ada@customer.example"
WAYS = {
    "pending": (), "hold": ("hold",), "approved": ("approved",), "declined": ("declined",),
    "in_payout": ("approved", "in_payout"), "paid": ("approved", "in_payout", "paid"),
}  # fmt: skip


@pytest.fixture
def gallery(world: World) -> dict[str, int]:
    """A reward in every status: status -> its key."""
    world.lead(EMAIL, world.partner())
    world.accept(*(paid(status, "cb1", EMAIL, invoice=status) for status in STATUSES))
    world.drain()
    keys = {row.invoice_id: row.id for row in rewards(world)}
    for status, way in WAYS.items():
        for step in way:
            review(world, step, keys[status])
    return keys


@contextmanager
def undone(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session
        session.rollback()


class TestLawfulMoves:
    def test_the_table_is_that_of_the_law(self) -> None:
        """DOMAIN V2: declined from pending, hold and approved; a cancelled payout to approved."""
        allowed = {f"{old} {new}" for old, news in LAWFUL.items() for new in news}

        assert tuple(LAWFUL) == STATUSES
        assert allowed == {
            "pending hold", "pending approved", "pending declined", "hold pending",
            "hold approved", "hold declined", "approved hold", "approved declined",
            "approved in_payout", "in_payout approved", "in_payout paid",
        }  # fmt: skip

    def test_the_code_refuses_every_other_move(self, world: World, gallery: dict[str, int]) -> None:
        """DOMAIN V2: it names from, to and what is possible; staying is no move."""
        with undone(world.engine) as session:
            for old, key in gallery.items():
                for new in STATUSES:
                    with rehearsal(session):
                        if new in LAWFUL[old]:
                            assert change_status(session, [key], new, "why", PERSON) == [key]
                        elif new != old:
                            with pytest.raises(UnlawfulMove) as caught:
                                change_status(session, [key], new, "why", PERSON)
                            assert f"is {old} and cannot become {new}." in caught.value.detail
                            for possible in LAWFUL[old] or ("nothing",):
                                assert possible in caught.value.detail

    def test_the_database_refuses_them_too(self, world: World, gallery: dict[str, int]) -> None:
        """DOMAIN V2: whoever writes SQL cannot pay twice either."""
        statement = text(
            "UPDATE rewards SET status = :new, hold_until_on = NULL, hold_reason = :reason "
            "WHERE id = :key"
        )
        with undone(world.engine) as session:
            for old, key in gallery.items():
                for new in STATUSES:
                    reason = "by_hand" if new == "hold" else None
                    values = {"new": new, "key": key, "reason": reason}
                    with rehearsal(session):
                        if new == old or new in LAWFUL[old] or (old, new) == OF_MACHINE:
                            session.execute(statement, values)
                            continue
                        with (
                            pytest.raises(IntegrityError, match="in_payout to approved, paid"),
                            session.begin_nested(),
                        ):
                            session.execute(statement, values)

    def test_a_reward_is_never_deleted(self, books: World) -> None:
        """DOMAIN V1."""
        with undone(books.engine) as session, pytest.raises(IntegrityError, match="never deleted"):
            session.execute(text("DELETE FROM rewards"))

    def test_each_move_has_its_row_with_reason_and_actor(
        self, world: World, gallery: dict[str, int]
    ) -> None:
        """DOMAIN V1, V2."""
        assert history(world, gallery["pending"]) == []
        assert history(world, gallery["paid"]) == [
            ("pending", "approved", PERSON), ("approved", "in_payout", PERSON),
            ("in_payout", "paid", PERSON),
        ]  # fmt: skip
        assert {move.reason for move in world.all(RewardStatusChange)} == {"seen"}
        assert violations(world) == {}


class TestChangeStatus:
    def test_all_move_or_none(self, books: World) -> None:
        books.receive(paid("2", "cb1", EMAIL))
        first, second = (row.id for row in rewards(books))
        review(books, "declined", second)

        with pytest.raises(UnlawfulMove):
            review(books, "approved", first, second)
        with pytest.raises(NotFound):
            review(books, "approved", first, 999)
        assert [row.status for row in rewards(books)] == ["pending", "declined"]

    def test_asking_twice_is_asking_once(self, books: World) -> None:
        (reward,) = rewards(books)

        assert review(books, "approved") == [reward.id]
        assert review(books, "approved") == []
        assert len(history(books, reward.id)) == 1

    def test_a_hold_and_a_refusal_need_a_reason(self, books: World) -> None:
        for status in ("hold", "declined"):
            with transaction(books.engine) as session, pytest.raises(Unprocessable) as caught:
                change_status(session, [rewards(books)[0].id], status, " ", PERSON)
            assert caught.value.errors[0]["pointer"] == "/reason"

    def test_only_a_hold_has_a_last_day_and_it_is_ahead(self, books: World) -> None:
        yesterday = utc_now().date() - timedelta(days=1)
        for status, until in (("approved", date(2150, 1, 1)), ("hold", yesterday)):
            with pytest.raises(Unprocessable):
                review(books, status, until=until)

    def test_it_is_audited_with_before_and_after(self, books: World) -> None:
        review(books, "hold", until=date(2150, 1, 1))
        entry = next(e for e in books.all(AuditEntry) if e.action == "reward.hold")

        assert (entry.actor, entry.reason) == (PERSON, "seen")
        assert (entry.subject_kind, entry.subject_id) == ("reward", rewards(books)[0].id)
        assert entry.detail == {
            "before": {"status": "pending", "hold_reason": None, "hold_until_on": None},
            "after": {"status": "hold", "hold_reason": "by_hand", "hold_until_on": "2150-01-01"},
        }

    def test_approving_pins_the_customer(self, books: World) -> None:
        """DOMAIN M17: an earlier payment of another account opens a conflict, it takes nothing."""
        review(books, "approved")
        books.receive(paid("early", "cb2", EMAIL, day=-1))

        assert [row.pinned for row in books.customers() if row.id == rewards(books)[0].customer_id]
        assert shown(books) == [(1, "approved", 2_000)]
        assert len(books.all(AttributionConflict)) == 1

    def test_what_one_is_refused_does_not_stop_the_others(self, books: World) -> None:
        books.receive(paid("2", "cb1", EMAIL))
        first, second = (row.id for row in rewards(books))
        review(books, "declined", first)
        with transaction(books.engine) as session:
            order = Order("approved", None, PERSON)
            results = change_each(session, [first, 999, second], order)

        assert [(r.reward_key, r.ok, r.code) for r in results] == [
            (first, False, "unlawful_move"), (999, False, "not_found"), (second, True, None),
        ]  # fmt: skip
        assert [row.status for row in rewards(books)] == ["declined", "approved"]
        assert violations(books) == {}
        actions = [entry.action for entry in books.all(AuditEntry)]
        assert actions.count("reward.approved") == 1
