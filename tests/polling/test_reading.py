"""The event log fills what the webhook left open, whatever becomes of a reading on its way."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from rewards_service.chargebee.errors import KeyRefused, Unavailable
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.paging import Page
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import EventPoll
from rewards_service.integrations.service import delete_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import NotFound
from rewards_service.polling.reading import poll
from rewards_service.polling.service import PollRunning
from rewards_service.replay.service import replay
from tests.builders.simulated import connected_to
from tests.builders.world import World
from tests.polling.conftest import START, Sandbox
from tests.simulator.test_into_service import make_people, said, wrong

CARD = {"card": {"masked_number": "************4242", "iin": "424242"}}


class Killed(BaseException):
    """What SIGKILL leaves: nothing more is done, nothing is tidied up."""


class Broken:
    """A site whose log breaks off after so many pages, by `error`."""

    def __init__(self, site: Chargebee, after: int, error: BaseException, size: int = 15) -> None:
        self.events = self
        self._events, self._after, self._error, self._size = site.events, after, error, size

    def pages(self, where: Any, oldest_first: str, offset: str | None) -> Iterator[Page]:
        found = self._events.pages(where, oldest_first=oldest_first, size=self._size, offset=offset)
        for number, page in enumerate(found):
            if number == self._after:
                raise self._error
            yield page


def ids_in_log(world: World) -> list[str]:
    with transaction(world.engine) as session:
        return list(session.scalars(select(ReceivedEvent.event_id).order_by(ReceivedEvent.id)))


def state(world: World) -> EventPoll:
    (row,) = world.all(EventPoll)
    assert isinstance(row, EventPoll)
    return row


class TestPoll:
    def test_webhooks_lost_doubled_and_mixed_up_come_to_the_same_as_none_lost(
        self, world: World, second: World
    ) -> None:
        """V10, and a replay of what the log brought comes to the same again."""
        sandbox = Sandbox()
        bodies = sandbox.webhooks()
        dice = Random(7)  # noqa: S311 - an order, not a secret
        delivered = [one for one in bodies if dice.random() > 0.3]
        delivered += dice.sample(delivered, len(delivered) // 5)
        dice.shuffle(delivered)
        for runs, order in ((second, bodies), (world, delivered)):
            make_people(runs)
            runs.accept(*order)
            runs.drain()
        came = {json.loads(one)["id"] for one in delivered}

        report = sandbox.read(world)
        world.drain()

        assert (report.complete, report.problem) == (True, None)
        assert report.new == [name for name in sandbox.events() if name not in came]
        assert wrong(world.engine) == wrong(second.engine) == []
        assert said(world.engine) == said(second.engine)
        assert replay(world.engine).differences == []

    def test_events_are_recorded_in_the_order_of_the_log_and_once(self, world: World) -> None:
        sandbox = Sandbox()

        first, again = sandbox.read(world), sandbox.read(world)

        assert ids_in_log(world) == sandbox.events() == first.new
        assert (again.new, again.complete) == ([], True)
        assert {row.source for row in world.all(ReceivedEvent)} == {"poll"}

    @pytest.mark.parametrize("error", [Unavailable("list events", 503), Killed()])
    def test_a_reading_that_breaks_off_is_gone_on_with(
        self, world: World, error: BaseException
    ) -> None:
        sandbox = Sandbox()
        held = []
        for after in (0, 2, 1):
            broken: Any = Broken(connected_to(sandbox.simulator), after, error)
            if isinstance(error, Killed):
                with pytest.raises(Killed):
                    sandbox.read(world, broken)
            else:
                assert sandbox.read(world, broken).problem is error
            held.append(len(ids_in_log(world)))

        report = sandbox.read(world)

        assert held == [0, 30, 45]  # each page once, also of events that occurred in one second
        assert (report.complete, state(world).next_offset) == (True, None)
        assert ids_in_log(world) == sandbox.events()

    def test_a_place_that_chargebee_has_forgotten_is_left_and_the_overlap_read_again(
        self, world: World
    ) -> None:
        sandbox = Sandbox()
        broken: Any = Broken(connected_to(sandbox.simulator), 2, Killed())
        with pytest.raises(Killed):
            sandbox.read(world, broken)
        with transaction(world.engine) as session:
            session.execute(update(EventPoll).values(next_offset="forgotten"))

        assert sandbox.read(world).complete
        assert ids_in_log(world) == sandbox.events()

    def test_a_reading_that_ran_out_of_time_goes_on_at_once(self, world: World) -> None:
        sandbox = Sandbox()

        small_pages: Any = Broken(connected_to(sandbox.simulator), 99, Killed())

        report = sandbox.read(world, small_pages, budget=0)

        assert (report.complete, len(report.new)) == (False, 15)
        assert state(world).next_poll_at is None
        assert sandbox.read(world).complete
        assert state(world).next_poll_at is not None

    def test_what_shows_late_in_lists_is_found_by_the_next_reading(self, world: World) -> None:
        sandbox = Sandbox()
        sandbox.simulator.faults = sandbox.simulator.faults.changed({"lag_s": 290})
        sandbox.read(world)
        missing = set(sandbox.events()) - set(ids_in_log(world))

        sandbox.caller.site.move_to(sandbox.caller.site.now_ms + 300_000)
        report = sandbox.read(world)

        assert set(report.new) == missing != set()

    def test_one_reader_at_a_time_unless_the_other_is_dead(self, world: World) -> None:
        sandbox = Sandbox(steps=5)
        sandbox.read(world)
        held = {"lease_token": "another", "lease_until": utc_now() + timedelta(minutes=1)}
        with transaction(world.engine) as session:
            session.execute(update(EventPoll).values(held))

        with pytest.raises(PollRunning):
            sandbox.read(world)
        with transaction(world.engine) as session:
            session.execute(update(EventPoll).values(lease_until=utc_now() - timedelta(seconds=1)))

        assert sandbox.read(world).complete

    def test_a_reader_who_lost_its_place_writes_nothing_more(self, world: World) -> None:
        sandbox = Sandbox()
        site = connected_to(sandbox.simulator)

        class Overtaken(Broken):
            def pages(self, *chosen: Any, **more: Any) -> Iterator[Page]:
                for page in super().pages(*chosen, **more):
                    with transaction(world.engine) as session:
                        session.execute(update(EventPoll).values(lease_token="another"))
                    yield page

        late: Any = Overtaken(site, 99, Killed())
        with pytest.raises(PollRunning):
            sandbox.read(world, late)

        assert ids_in_log(world) == []

    def test_nothing_of_a_card_is_kept_and_numbers_are_kept_digit_for_digit(
        self, world: World
    ) -> None:
        sandbox = Sandbox(steps=1)
        table = sandbox.caller.site.tables["event"]
        row = next(iter(table.rows.values()))
        content = {**json.loads(row["content"]), **CARD}
        row["content"] = json.dumps(content).replace("{", '{"exact": 0.10000000000000000001, ', 1)

        sandbox.read(world)

        kept = world.get(ReceivedEvent, 1)
        with transaction(world.engine) as session:
            body = session.scalars(select(ReceivedEvent.body).where(ReceivedEvent.id == 1)).one()
        assert kept.event_id == row["id"]
        assert b"4242" not in body
        assert b'"exact":0.10000000000000000001,' in body

    def test_a_key_that_is_refused_is_said_and_asked_for_no_more_than_hourly(
        self, world: World
    ) -> None:
        sandbox = Sandbox(steps=1)

        report = sandbox.read(world, connected_to(sandbox.simulator, "revoked"))

        assert isinstance(report.problem, KeyRefused)
        held = state(world)
        assert held.problem_code == "chargebee_key_refused"
        assert held.failing_since_at is not None
        assert held.next_poll_at is not None
        assert held.next_poll_at > utc_now() + timedelta(minutes=50)
        assert sandbox.read(world).complete  # but whenever somebody asks
        assert state(world).problem_code is None

    def test_a_reading_begins_where_it_is_told_to_or_when_the_site_was_connected(
        self, world: World
    ) -> None:
        sandbox = Sandbox(steps=5)
        nothing = sandbox.read(world, beginning=None, now=utc_now())
        untouched = state(world).cursor_at

        report = sandbox.read(world, beginning=None, since=START)

        assert (nothing.new, untouched) == ([], None)
        assert ids_in_log(world) == sandbox.events() == report.new

    def test_a_site_that_is_not_connected_any_more_is_left_alone(self, world: World) -> None:
        sandbox = Sandbox(steps=1)
        with transaction(world.engine) as session:
            delete_integration(session, world.site.id, "test")

        with pytest.raises(NotFound):
            poll(world.engine, world.site.id, connected_to(sandbox.simulator))
