"""Every five minutes, whenever somebody asks, and never while another waits for an answer."""

from dataclasses import replace
from datetime import timedelta
from pkgutil import resolve_name
from threading import enumerate as threads

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.connections.access import ApiKeyMissing
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations import service as integrations
from rewards_service.integrations.models import EventPoll, Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.queue import DOORBELLS, POLLS
from rewards_service.polling import jobs, queries
from rewards_service.settings import Settings
from rewards_service.simulator.server import SimulatorServer
from tests.builders.world import World
from tests.polling.conftest import give_key


def happen(server: SimulatorServer, times: int = 1) -> None:
    for number in range(times):
        server.runner.say("sign_up", {"email": f"c{number}@x.example"})


def due_at(world: World, **later: float) -> list[int]:
    with Session(world.engine) as session:
        return queries.due(session, utc_now() + timedelta(**later))


class TestReadLog:
    def test_without_a_key_it_is_refused_in_plain_words(
        self, world: World, connected: Settings
    ) -> None:
        with pytest.raises(ApiKeyMissing, match="API key"):
            jobs.read_log(world.engine, connected, world.site.id)

    def test_the_log_of_a_sandbox_is_read_whole_whatever_its_clock_says(
        self, world: World, connected: Settings, server: SimulatorServer
    ) -> None:
        give_key(world, connected)
        happen(server)  # at the beginning of 2026
        server.runner.say("wait", {"days": 3_000})
        happen(server)

        assert len(jobs.read_log(world.engine, connected, world.site.id).new) == 2
        happen(server)
        assert len(jobs.read_log(world.engine, connected, world.site.id).new) == 1

    def test_a_key_that_cannot_be_opened_any_more_is_a_problem_of_that_site_only(
        self, world: World, connected: Settings
    ) -> None:
        give_key(world, connected)
        other = replace(connected, encryption_keys=(Fernet.generate_key().decode(),))

        (report,) = jobs.run(world.engine, other)

        assert report.problem is not None
        assert world.all(EventPoll)[0].problem_code == "secret_unreadable"


class TestRun:
    def test_what_is_due_is_read_every_five_minutes(
        self, world: World, connected: Settings, server: SimulatorServer
    ) -> None:
        other = world.connect("other-test")
        assert due_at(world) == []  # without keys
        give_key(world, connected)
        happen(server)

        (report,) = jobs.run(world.engine, connected)

        assert (report.integration_id, len(report.new)) == (world.site.id, 1)
        assert jobs.run(world.engine, connected) == []
        assert due_at(world, minutes=4.9) == []
        assert due_at(world, minutes=5.1) == [world.site.id] != [other.id]

    def test_a_revoked_key_is_tried_hourly_and_a_new_one_soon(
        self, world: World, connected: Settings, server: SimulatorServer
    ) -> None:
        give_key(world, connected, "revoked")
        (report,) = jobs.run(world.engine, connected)
        calls = server.site.counters["request"]

        assert report.problem is not None
        assert calls == 1
        assert due_at(world, minutes=55) == []
        assert due_at(world, minutes=65) == [world.site.id]
        give_key(world, connected)
        assert due_at(world, minutes=6) == [world.site.id]

    def test_in_mode_off_events_are_kept_so_that_they_have_no_effect_later_either(
        self, world: World, connected: Settings, server: SimulatorServer
    ) -> None:
        """M13"""
        give_key(world, connected)
        world.switch(mode="off")
        happen(server)

        jobs.run(world.engine, connected)
        world.switch(mode="live")
        world.drain()

        assert [row.outcome for row in world.all(ReceivedEvent)] == ["all_off"]

    def test_another_site_has_another_log(self, world: World, connected: Settings) -> None:
        give_key(world, connected)
        jobs.run(world.engine, connected)
        assert len(world.all(EventPoll)) == 1

        with transaction(world.engine) as session:
            wanted = {"site": "moved-test", "api_key": "another"}
            integrations.change_integration(session, connected, world.site.id, wanted, "test")

        assert world.all(EventPoll) == []
        assert due_at(world) == [world.site.id]

    def test_a_site_that_was_disconnected_is_not_read(
        self, world: World, connected: Settings
    ) -> None:
        give_key(world, connected)
        with transaction(world.engine) as session:
            session.execute(update(Integration).values(deleted_at=utc_now()))

        assert due_at(world) == []


class TestRunDue:
    def test_it_reads_beside_its_caller(
        self, world: World, connected: Settings, server: SimulatorServer
    ) -> None:
        give_key(world, connected)
        happen(server)
        with create_app(connected).app_context():
            assert resolve_name(DOORBELLS[POLLS])() == 0
        for thread in [one for one in threads() if one.name == "polls"]:
            thread.join(60)

        assert len(world.all(ReceivedEvent)) == 1
