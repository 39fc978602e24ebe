"""Test events: through the door, and no further."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.gaps import TEST_EVENT
from rewards_service.reports.digest import sections
from rewards_service.webhooks import trial
from tests.builders.api import Caller, Json
from tests.builders.whole import violations
from tests.builders.world import World


@pytest.fixture
def site(api: Caller) -> Json:
    return api.create("/integrations", site="other-test")


def send(api: Caller, site: Json, **body: object) -> Json:
    answer = api.call("POST", f"/integrations/{site['id']}/test-event", json=body or None)
    assert answer.status_code == 200, answer.text
    found: Json = answer.get_json()
    return found


def books(engine: Engine) -> Json:
    """The digest of everything but the event log, and how much is mirrored."""
    with Session(engine) as session:
        return {name: part for name, part in sections(session).items() if name != "events"}


class TestSendTestEvent:
    def test_it_is_kept_handled_and_changes_nothing_else(
        self, api: Caller, site: Json, world: World, engine: Engine
    ) -> None:
        before = books(engine)
        sent = send(api, site, webhook_password=site["webhook_password"], wait_seconds=0)
        world.drain()
        event = api.get(f"/events/{sent['event_id']}")

        assert (sent["credentials"], sent["state"]) == ("accepted", "pending")
        assert (event["state"], event["outcome"]) == ("done", "ignored")
        assert event["event_id"].startswith("test_")
        health = api.get(f"/integrations/{site['id']}")["health"]
        assert health["webhook"]["last_at"] is None  # Chargebee has not called
        assert event["event_type"] == TEST_EVENT
        assert api.get("/events", event_type=TEST_EVENT)["data"][0]["id"] == event["id"]
        assert (books(engine), violations(engine)) == (before, {})

    def test_wrong_credentials_are_told_and_nothing_is_kept(self, api: Caller, site: Json) -> None:
        wrong = send(api, site, webhook_password="wrong")
        other = send(api, site, webhook_username="u", webhook_password=site["webhook_password"])

        for sent in (wrong, other):
            assert (sent["credentials"], sent["event_id"]) == ("refused", None)
        assert api.get("/events")["data"] == []
        path = f"/integrations/{site['id']}/test-event"
        assert api.pointers("POST", path, webhook_username="u") == ["/webhook_password"]

    def test_without_a_password_the_rest_of_the_way_is_tried(self, api: Caller, site: Json) -> None:
        sent = send(api, site, wait_seconds=0)

        assert (sent["credentials"], sent["state"]) == ("not_tried", "pending")
        assert "rewards doctor" in sent["detail"]
        assert api.call("POST", "/integrations/int_none/test-event").status_code == 404


class TestWaitFor:
    def test_it_ends_as_soon_as_the_event_is_handled(
        self, api: Caller, site: Json, world: World, engine: Engine
    ) -> None:
        send(api, site, wait_seconds=0)
        looks: list[float] = []

        def sleep(seconds: float) -> None:
            looks.append(seconds)
            world.drain()

        (key,) = (event.id for event in world.all(ReceivedEvent))
        assert trial.wait_for(engine, key, 60, sleep) == ("done", "ignored")
        assert len(looks) == 1
