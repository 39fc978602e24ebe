"""What the webhook missed: counted, listed, told by API, program, metrics and doctor."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.cli.diagnosis import examine
from rewards_service.connections.checks import Check
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.db import transaction
from rewards_service.polling.jobs import read_log
from rewards_service.reports.backlog import read_backlog
from rewards_service.settings import Settings
from rewards_service.simulator.server import SimulatorServer
from tests.builders.api import Caller
from tests.builders.world import World
from tests.cli.conftest import Rewards, quiet_log, read, rewards  # noqa: F401 - fixtures
from tests.polling.conftest import Sandbox, give_key
from tests.polling.test_jobs import happen

DAY = timedelta(days=1)


@pytest.fixture
def app(connected: Settings) -> Flask:
    return create_app(connected)


@pytest.fixture
def api(app: Flask, connected: Settings) -> Caller:
    return Caller(app, connected)


@pytest.fixture
def path(world: World, connected: Settings) -> str:
    give_key(world, connected)
    return f"/integrations/{ids.encode('int', world.site.id)}"


def age(world: World, **by: float) -> None:
    """Let all events have been received longer ago."""
    with transaction(world.engine) as session:
        at = utc_now() - timedelta(**by)
        session.execute(update(ReceivedEvent).values(received_at=at))


class TestGaps:
    def test_missed_late_and_expected_events_are_told_apart(
        self, world: World, api: Caller, path: str, server: SimulatorServer
    ) -> None:
        sandbox = Sandbox(steps=6)
        bodies = sandbox.webhooks()
        world.accept(bodies[0])
        age(world, minutes=30)
        sandbox.read(world)

        def counts() -> list[int]:
            totals = api.get(f"{path}/gaps", **{"occurred_at[gte]": "2026-01-01T00:00:00Z"})
            return [totals["totals"][name] for name in ("missed", "late", "expected")]

        world.drain()  # what nothing follows from is no gap
        with Session(world.engine) as session:
            missing = session.query(ReceivedEvent).filter_by(source="poll")
            followed = missing.filter_by(outcome="mirrored").count()
        assert followed > 0
        assert counts() == [0, 0, followed]
        age(world, minutes=16)
        assert counts() == [followed, 0, 0]
        world.accept(*bodies)
        assert counts() == [0, followed, 0]

    def test_periods_and_the_missed_events_are_listed(
        self, world: World, api: Caller, path: str
    ) -> None:
        sandbox = Sandbox(steps=25)
        sandbox.read(world)
        world.drain()
        age(world, minutes=16)

        report = api.get(f"{path}/gaps", **{"occurred_at[gte]": "2026-01-01T00:00:00Z"})
        hours = api.get(
            f"{path}/gaps",
            **{"occurred_at[gte]": "2026-01-01T00:00:00Z",
               "occurred_at[lt]": "2026-01-02T00:00:00Z", "by": "hour"},
        )  # fmt: skip

        days = [period["period"] for period in report["periods"]]
        assert days == sorted(set(days))
        assert sum(period["missed"] for period in report["periods"]) == report["totals"]["missed"]
        assert len(report["events"]) == min(report["totals"]["missed"], 100)
        assert report["events"][0]["occurred_at"] >= report["events"][-1]["occurred_at"]
        assert hours["totals"]["missed"] == report["periods"][0]["missed"]
        assert all(period["period"].startswith("2026-01-01T") for period in hours["periods"])
        listed = api.get("/events", source="poll", limit=1)["data"][0]
        assert (listed["source"], listed["webhook_at"]) == ("poll", None)


class TestHealth:
    def test_it_says_how_polling_goes_and_since_when_the_webhook_is_silent(
        self, world: World, api: Caller, path: str, connected: Settings, server: SimulatorServer
    ) -> None:
        def health() -> dict[str, Any]:
            found: dict[str, Any] = api.get(path)["health"]
            return found

        assert health()["polling"]["state"] == "never"
        sandbox = Sandbox(steps=6)
        world.accept(sandbox.webhooks()[0])
        age(world, hours=2)
        last_at = world.all(ReceivedEvent)[0].received_at
        assert health()["webhook"]["silent_since"] is None

        sandbox.read(world)
        with transaction(world.engine) as session:
            polled = update(ReceivedEvent).where(ReceivedEvent.source == "poll")
            session.execute(polled.values(received_at=utc_now() - timedelta(minutes=20)))

        found = health()
        assert found["polling"]["state"] == "well"
        assert found["polling"]["problem"] is None
        assert found["webhook"]["silent_since"] == rfc3339(last_at) == found["webhook"]["last_at"]
        assert found["webhook"]["missed_24h"] > 0

        give_key(world, connected, "revoked")
        read_log(world.engine, connected, world.site.id)
        problem = health()["polling"]["problem"]
        assert (health()["polling"]["state"], problem["code"]) == (
            "failing", "chargebee_key_refused",
        )  # fmt: skip
        self._told(world, connected)
        give_key(world, connected, None)
        assert health()["polling"]["state"] == "no_api_key"

    def _told(self, world: World, settings: Settings) -> None:
        """The same by doctor and metrics."""
        findings: dict[str, Check] = {found.id: found for found in examine(settings)}
        with Session(world.engine) as session:
            backlog = read_backlog(session)
        assert not findings["polling"].ok
        assert "API key" in findings["polling"].detail
        assert findings["webhook"].warning
        assert (backlog.failing_polls, backlog.missed_by_webhook > 0) == (1, True)


class TestPollRoute:
    def test_it_reads_now_and_says_what_came(
        self, world: World, api: Caller, path: str, server: SimulatorServer
    ) -> None:
        happen(server, 2)

        first = api.call("POST", f"{path}/poll")
        again = api.call("POST", f"{path}/poll", json={"since": "2026-01-01T00:00:00Z"})

        assert first.status_code == 200, first.text
        assert {name: first.get_json()[name] for name in ("read", "new", "complete")} == {
            "read": 2, "new": 2, "complete": True,
        }  # fmt: skip
        assert again.get_json()["new"] == 0
        assert len(world.all(ReceivedEvent)) == 2

    def test_what_chargebee_refuses_is_a_problem_with_its_code(
        self, world: World, api: Caller, path: str, connected: Settings
    ) -> None:
        give_key(world, connected, "revoked")
        refused = api.refused("POST", f"{path}/poll", 502)
        give_key(world, connected, None)
        missing = api.refused("POST", f"{path}/poll", 409)

        assert refused["code"] == "chargebee_key_refused"
        assert missing["code"] == "api_key_missing"


class TestVerificationMember:
    @pytest.mark.parametrize(
        ("given", "pointer"),
        [
            ({"mode": "above"}, "/verification/above_minor"),
            ({"mode": "above", "above_minor": {}}, "/verification/above_minor"),
            ({"mode": "sometimes"}, "/verification/mode"),
            ({"mode": "above", "above_minor": {"USD": "1"}}, "/verification/above_minor/USD"),
        ],
    )
    def test_a_choice_that_cannot_be_kept_to_is_refused(
        self, api: Caller, path: str, given: Any, pointer: str
    ) -> None:
        assert api.pointers("PATCH", path, verification=given) == [pointer]

    def test_asking_takes_a_key(self, api: Caller, path: str) -> None:
        chosen = {"mode": "above", "above_minor": {"USD": 100_000}}
        assert api.change(path, verification=chosen)["verification"] == chosen

        assert api.pointers("PATCH", path, api_key=None) == ["/api_key"]
        assert api.change(path, verification={"mode": "off"}, api_key=None)["verification"] == {
            "mode": "off", "above_minor": {"USD": 100_000},
        }  # fmt: skip
        assert api.pointers(
            "POST", "/integrations", site="other-test", verification={"mode": "always"}
        ) == ["/verification/mode"]


class TestProgram:
    def test_poll_and_gaps_print_one_json_object(
        self,
        world: World,
        path: str,
        server: SimulatorServer,
        rewards: Rewards,  # noqa: F811
    ) -> None:
        happen(server, 2)
        sandbox = {"CHARGEBEE_API_BASE": server.url, "CHARGEBEE_REQUESTS_PER_MINUTE": "0"}
        key = path.rpartition("/")[2]

        polled = rewards("poll", "--integration", key, "--json", **sandbox)
        lines = rewards("poll", "--integration", "acme-test", "--since", "2026-01-01", **sandbox)
        gaps = read(rewards("gaps", "--integration", key, "--days", "3650", "--json"))

        assert (polled.exit_code, lines.exit_code) == (0, 0)
        assert (read(polled)["ok"], read(polled)["new"]) == (True, 2)
        assert "2 events, 0 new" in lines.stdout
        assert gaps["totals"] == {"missed": 0, "late": 0, "expected": 2}

    def test_a_refusal_is_exit_status_1_and_named(
        self, world: World, path: str, server: SimulatorServer, connected: Settings,
        rewards: Rewards,  # noqa: F811
    ) -> None:  # fmt: skip
        give_key(world, connected, "revoked")
        sandbox = {"CHARGEBEE_API_BASE": server.url, "CHARGEBEE_REQUESTS_PER_MINUTE": "0"}

        refused = rewards("poll", "--integration", "acme-test", "--json", **sandbox)
        unknown = rewards("poll", "--integration", "int_none", **sandbox)

        assert (refused.exit_code, unknown.exit_code) == (1, 2)
        assert read(refused)["problem"]["code"] == "chargebee_key_refused"
