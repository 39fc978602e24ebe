"""The event log as a queue: leases, tries, poison, and finishing only what is still ours."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from structlog.typing import EventDict

from rewards_service.inbox import queries, service
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.inbox.service import Leased, LeaseLost
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.transactions.models import RewardDue, Transaction
from rewards_service.webhooks import jobs
from tests.builders.chargebee import at, event, invoice, paid
from tests.builders.world import World

ADA = "ada@one.example"
POISON = "the database refuses this"


def lease(engine: Engine, token: str, limit: int = 500) -> Leased:
    with transaction(engine) as session:
        return service.lease_fresh(session, token, limit)


def lease_one(engine: Engine, token: str) -> Leased:
    with transaction(engine) as session:
        return service.lease_suspect(session, token)


@pytest.fixture(autouse=True)
def log() -> Iterator[list[EventDict]]:
    """Failures are meant here: unformatted, they cost nothing."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def three(world: World) -> World:
    """A world with three events that wait."""
    for name in "abc":
        world.accept(paid(name, "cb_1", ADA))
    return world


def poison(world: World, event_id: str) -> None:
    """Let the database refuse whatever would finish this event."""
    if world.engine.dialect.name == "sqlite":
        statements = [
            f"CREATE TRIGGER poison BEFORE UPDATE OF outcome ON received_events"
            f" WHEN new.event_id = '{event_id}' AND new.outcome IS NOT NULL"
            f" BEGIN SELECT RAISE(ABORT, '{POISON}'); END"
        ]
    else:
        statements = [
            f"CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{POISON}'; END $$",
            f"CREATE TRIGGER poison BEFORE UPDATE OF outcome ON received_events FOR EACH ROW"
            f" WHEN (new.event_id = '{event_id}' AND new.outcome IS NOT NULL)"
            f" EXECUTE FUNCTION poison()",
        ]
    with world.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


class TestLease:
    def test_takes_the_oldest_first_and_none_twice(self, three: World) -> None:
        first = lease(three.engine, "one", 2)
        second = lease(three.engine, "two", 2)
        assert [len(first.ids), len(second.ids)] == [2, 1]
        assert first.ids == sorted(first.ids)
        assert max(first.ids) < min(second.ids)
        assert lease(three.engine, "three").ids == []

    def test_a_batch_costs_no_try_and_a_suspect_one(self, three: World) -> None:
        lease(three.engine, "one")
        assert {three.event(f"ev_{name}").attempts for name in "abc"} == {0}
        three.age("ev_b")
        taken = lease_one(three.engine, "two")
        assert taken.ids == [three.event("ev_b").id]
        assert three.event("ev_b").attempts == 1

    def test_a_lease_that_has_not_run_out_is_left_alone(self, three: World) -> None:
        lease(three.engine, "one")
        assert lease_one(three.engine, "two").ids == []
        with Session(three.engine) as session:
            assert not queries.has_due(session)

    def test_two_at_once_share_the_events(self, three: World) -> None:
        taken: list[int] = []

        def work(token: str) -> None:
            for _ in range(3):
                taken.extend(lease(three.engine, token, 1).ids)

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == sorted(row.id for row in three.all(ReceivedEvent))


class TestFinish:
    def test_a_worker_that_lost_its_lease_changes_nothing(self, three: World) -> None:
        """Fenced: what it did is rolled back with it."""
        late = lease(three.engine, "late")
        for name in "abc":
            three.age(f"ev_{name}")
        three.drain()
        with transaction(three.engine) as session, pytest.raises(LeaseLost):
            service.load(session, late)
        assert {three.outcome(f"ev_{name}") for name in "abc"} == {"unknown_customer"}

    def test_one_lost_event_gives_the_whole_batch_up(self, three: World) -> None:
        held = lease(three.engine, "mine")
        with three.engine.begin() as connection:
            connection.execute(
                update(ReceivedEvent)
                .where(ReceivedEvent.event_id == "ev_b")
                .values(lease_token="another")
            )
        with transaction(three.engine) as session, pytest.raises(LeaseLost):
            service.load(session, held)

    def test_events_of_a_worker_that_died_are_taken_over(self, three: World) -> None:
        lease(three.engine, "dead")
        assert jobs.drain(three.engine) == 0
        for name in "abc":
            three.age(f"ev_{name}")
        three.drain()
        assert {three.ended(f"ev_{name}") for name in "abc"} == {("done", "unknown_customer")}

    def test_they_are_taken_over_in_ever_smaller_groups_and_then_each_alone(
        self, world: World
    ) -> None:
        """What a kill left is mostly harmless; what kills again must not take others with it."""
        world.accept(*(paid(str(number), "cb_1", ADA) for number in range(112)))
        taken = [lease(world.engine, "killed", 112)]
        for number in range(16):
            with world.engine.begin() as connection:
                connection.execute(update(ReceivedEvent).values(lease_until=at(-1)))
            taken.append(lease_one(world.engine, f"killed {number}"))

        assert [len(one.ids) for one in taken] == [112, 100, 12, *[10] * 11, 2, 1, 1]
        assert [one.alone for one in taken] == [False] * 15 + [True] * 2


class TestFail:
    def test_waits_longer_each_time_and_dies_after_eight_tries(self, three: World) -> None:
        """API, "state": dead after 8 tries; 10 s, 20 s, 40 s ... up to 10 min."""
        poison(three, "ev_b")
        jobs.drain(three.engine)
        waits = []
        while three.event("ev_b").state == "pending":
            row = three.event("ev_b")
            assert POISON in (row.error or "")
            if row.next_attempt_at is not None:
                waits.append(round((row.next_attempt_at - utc_now()).total_seconds(), -1))
            three.age("ev_b")
            jobs.drain(three.engine)
        assert waits == [10, 20, 40, 80, 160, 320, 600]
        assert (three.event("ev_b").state, three.event("ev_b").attempts) == ("dead", 8)
        with Session(three.engine) as session:
            assert not queries.has_due(session)

    def test_one_poison_event_holds_up_no_other(self, three: World) -> None:
        poison(three, "ev_b")
        three.drain()
        assert three.ended("ev_a") == three.ended("ev_c") == ("done", "unknown_customer")
        assert three.ended("ev_b") == ("pending", None)
        assert [three.event(f"ev_{name}").attempts for name in "abc"] == [1, 1, 1]
        three.accept(paid("d", "cb_1", ADA))
        three.drain()
        assert three.ended("ev_d")[0] == "done"

    def test_a_failed_event_leaves_nothing_behind(self, world: World) -> None:
        world.lead(ADA, world.partner())
        world.accept(paid("p", "cb_1", ADA))
        poison(world, "ev_p")
        world.drain()
        assert world.customers() == []
        assert world.all(Transaction) == []

    def test_an_event_that_takes_the_worker_down_each_time_is_given_up(self, three: World) -> None:
        """Its tries are counted before it is handled, so that a kill counts too."""
        lease(three.engine, "killed")
        for _ in range(service.MAX_ATTEMPTS):
            three.age("ev_b")
            assert lease_one(three.engine, "killed too").alone
        three.age("ev_b")
        three.drain()
        assert three.event("ev_b").state == "dead"

    def test_the_lease_outlasts_the_budget_of_a_drain(self) -> None:
        assert timedelta(seconds=jobs.BUDGET_SECONDS) < service.LEASE


class TestRewardsThatFail:
    def test_one_poison_invoice_holds_up_no_other(self, world: World) -> None:
        """DOMAIN V9: the batch is tried again one invoice at a time."""
        world.lead(ADA, world.partner())
        world.receive(paid("p", "cb_1", ADA))
        self._refuse(world, "inv_q")
        world.accept(*[paid(name, "cb_1", ADA, day=1) for name in "qrs"])
        world.drain()
        assert world.earned() == 6_000
        [left] = world.all(RewardDue)
        assert (left.invoice_id, left.attempts, left.dead) == ("inv_q", 1, False)
        assert POISON in left.error

    def _refuse(self, world: World, invoice_id: str) -> None:
        if world.engine.dialect.name == "sqlite":
            statements = [
                f"CREATE TRIGGER poison BEFORE INSERT ON rewards WHEN new.invoice_id ="
                f" '{invoice_id}' BEGIN SELECT RAISE(ABORT, '{POISON}'); END"
            ]
        else:
            statements = [
                f"CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION '{POISON}'; END $$",
                f"CREATE TRIGGER poison BEFORE INSERT ON rewards FOR EACH ROW"
                f" WHEN (new.invoice_id = '{invoice_id}') EXECUTE FUNCTION poison()",
            ]
        with world.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


class TestOutcomes:
    def test_nothing_ends_without_an_outcome(self, world: World) -> None:
        """DOMAIN "Outcome of an event"."""
        world.receive(
            paid("p", "cb_1", ADA), event("ev_i", "invoice_generated", 0,
                                          invoice=invoice("inv", "cb_1", 5)),
            event("ev_x", "nobody_knows_this", 0), paid("bad", "cb_1", 7),
        )  # fmt: skip
        with Session(world.engine) as session:
            rows = session.execute(select(ReceivedEvent.state, ReceivedEvent.outcome)).all()
        assert all(outcome for _, outcome in rows)
