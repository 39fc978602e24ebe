"""The event log over HTTP."""

import json

from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World

EMAIL = "eve@buyer.example"


class TestEvents:
    def test_an_event_shows_what_came_of_it(self, api: Caller, world: World) -> None:
        """DOMAIN V11."""
        world.lead(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL))
        found = api.get("/events")["data"][0]
        results = found["results"]

        assert (found["event_id"], found["event_type"]) == ("ev_1", "payment_succeeded")
        assert (found["state"], found["outcome"]) == ("done", "transaction_recorded")
        assert results["lead_id"] == api.get("/leads")["data"][0]["id"]
        assert results["customer_id"] == api.get("/customers")["data"][0]["id"]
        assert results["transaction_id"] == api.get("/transactions")["data"][0]["id"]
        assert results["reward_ids"] == [api.get("/rewards")["data"][0]["id"]]
        assert results["deal_ids"] == []

    def test_the_body_is_there_to_the_last_digit(self, api: Caller, world: World) -> None:
        body = {**paid("1", "cb1", EMAIL), "extra": 10**30, "text": "ä 🎉"}
        raw = b"\xef\xbb\xbf" + json.dumps(body).encode()
        world.receive(raw)
        listed = api.get("/events")["data"][0]
        found = api.get(f"/events/{listed['id']}")

        assert found == {**listed, "body": body}
        assert "body" not in listed

    def test_a_deeply_nested_body_is_shown_too(self, api: Caller, world: World) -> None:
        deep = b"[" * 900 + b"]" * 900
        raw = json.dumps(paid("1", "cb1", EMAIL)).encode()[:-1] + b', "deep": ' + deep + b"}"
        if world.site.post(raw).status_code == 200:
            listed = api.get("/events")["data"][0]

            assert api.call("GET", f"/events/{listed['id']}").status_code == 200

    def test_they_are_found_by_every_filter(self, api: Caller, world: World) -> None:
        world.receive(paid("1", "cb1", EMAIL))
        found = api.get("/events")["data"][0]
        matching = {
            "integration_id": found["integration_id"], "event_id": "ev_1", "state": "done",
            "event_type": "payment_succeeded", "outcome": found["outcome"],
            "received_at[gte]": found["received_at"], "received_at[lt]": "2150-01-01T00:00:00Z",
        }  # fmt: skip
        missing = {
            "integration_id": "int_1zfktvfpcpdba", "event_id": "ev_2", "state": "dead",
            "event_type": "plan_created", "outcome": "mirrored",
            "received_at[gte]": "2150-01-01T00:00:00Z", "received_at[lt]": found["received_at"],
        }  # fmt: skip

        assert api.get("/events", **matching)["data"] == [found]
        for name, value in missing.items():
            assert api.get("/events", **{name: value})["data"] == [], name

    def test_an_unknown_outcome_is_refused(self, api: Caller) -> None:
        assert api.call("GET", "/events?outcome=nothing").status_code == 422
