"""Nothing follows from an event before Chargebee said that it is its own."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.inbox import queries, verification
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.polling.jobs import read_log
from rewards_service.replay.service import replay
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.server import SimulatorServer
from tests.builders.world import World
from tests.polling.verified import Verified


@pytest.fixture
def verified(world: World, connected: Settings, server: SimulatorServer) -> Verified:
    return Verified(world, connected, server)


def forge(events: list[dict[str, Any]], **transaction_members: Any) -> list[dict[str, Any]]:
    """The payments among events, with other members of their transaction."""
    found = [event for event in events if event["event_type"] == "payment_succeeded"]
    for event in found:
        event["content"]["transaction"].update(transaction_members)
    return found


class TestSetAside:
    def test_nothing_follows_before_chargebee_was_asked(self, verified: Verified) -> None:
        world = verified.world
        world.accept(*verified.payment())
        world.drain()

        assert world.earned() == 0
        assert verified.standing() == [("pending", None, "wanted")]
        with Session(world.engine) as session:
            assert not queries.has_due(session)
            assert verification.has_wanted(session)

        verified.drain()

        assert verified.standing() == [("done", "transaction_recorded", "confirmed")]
        assert world.earned() == 2_000

    def test_above_an_amount_only_larger_ones_are_asked_about(self, verified: Verified) -> None:
        verified.choose("above", {"USD": 10_000})
        verified.world.accept(*verified.payment())
        verified.world.drain()

        assert verified.standing() == [("done", "transaction_recorded", None)]

        verified.choose("above", {"USD": 9_999})
        verified.world.accept(*verified.payment())
        verified.world.drain()

        assert verified.standing()[1] == ("pending", None, "wanted")

    def test_what_came_from_chargebee_itself_is_not_asked_about(self, verified: Verified) -> None:
        verified.payment()
        read_log(verified.world.engine, verified.settings, verified.world.site.id)
        calls = verified.calls

        verified.drain()

        assert verified.standing() == [("done", "transaction_recorded", None)]
        assert verified.calls == calls

    def test_what_is_only_observed_or_kept_is_not_asked_about(self, verified: Verified) -> None:
        events = verified.payment()
        for mode, outcome in (("observe", "observed"), ("off", "all_off")):
            verified.world.switch(mode=mode)
            verified.world.accept(*forge(events, id=f"txn_{mode}"))
            events[-1]["id"] = "another"
            verified.world.drain()
            assert verified.standing()[-1] == ("done", outcome, None)
            events = [{**event, "id": f"{event['id']}_again"} for event in events]


class TestRun:
    def test_another_amount_than_chargebees_is_quarantined_with_the_reason(
        self, verified: Verified
    ) -> None:
        """V11; and a replay comes to the same, without asking."""
        world = verified.world
        forged = forge(verified.payment(), amount=10_001)
        world.accept(*forged)
        verified.drain()

        event = world.event(forged[0]["id"])
        assert (event.state, event.outcome) == ("quarantined", "verification_failed")
        assert "amount_minor" in (event.error or "")
        assert world.earned() == 0
        calls = verified.calls
        assert replay(world.engine).differences == []
        assert verified.calls == calls

    def test_an_event_that_chargebee_does_not_know_is_quarantined_after_a_second_look(
        self, verified: Verified
    ) -> None:
        (forged,) = forge(verified.payment())
        verified.world.accept({**forged, "id": "ev_made_up"}, {**forged, "id": ".."})
        verified.world.drain()
        verified.ask()
        verified.world.drain()
        assert verified.world.ended("..") == ("quarantined", "verification_failed")
        assert verified.world.ended("ev_made_up") == ("pending", None)

        verified.waits_over()
        verified.drain()

        assert verified.world.ended("ev_made_up") == ("quarantined", "verification_failed")
        assert "knows no event" in (verified.world.event("ev_made_up").error or "")

    def test_an_event_that_shows_in_the_log_later_is_asked_about_again(
        self, verified: Verified
    ) -> None:
        world, events = verified.world, verified.payment()
        hidden = verified.server.site.tables["event"].rows
        kept = dict(hidden)
        hidden.clear()
        world.accept(*events)
        for _ in range(2):
            verified.drain()
            verified.waits_over()
        verified.drain()
        assert verified.standing() == [("quarantined", "verification_failed", "refused")]

        hidden.update(kept)
        read_log(world.engine, verified.settings, world.site.id)
        verified.drain()

        assert verified.standing() == [("done", "transaction_recorded", "confirmed")]
        assert world.earned() == 2_000

    def test_while_chargebee_is_down_events_wait_and_are_never_paid_nor_lost(
        self, verified: Verified
    ) -> None:
        world = verified.world
        world.accept(*verified.payment())
        verified.choose("always", api_key="revoked")  # which no attempt is repeated for
        for tries in range(1, 9):
            before = verified.calls
            verified.drain()
            verified.ask()
            assert verified.calls - before == 1  # not one for each event
            assert verified.standing() == [("pending", None, "wanted")]
            waiting = [row for row in world.all(ReceivedEvent) if row.verification]
            first = min(waiting, key=lambda row: row.id)
            assert first.verification_tries == tries
            assert first.next_attempt_at is not None
            assert first.next_attempt_at <= utc_now() + timedelta(minutes=10)
            verified.waits_over()
        assert world.earned() == 0
        assert "API key" in (first.verification_note or "")

        verified.choose("always", api_key=KEY)
        verified.drain()

        assert world.earned() == 2_000

    def test_events_that_come_while_others_wait_wait_with_them(self, verified: Verified) -> None:
        verified.choose("always", api_key="revoked")
        verified.world.accept(*verified.payment())
        verified.drain()
        calls = verified.calls

        verified.world.accept(*verified.payment())
        verified.drain()

        assert verified.calls == calls
        assert [state for state, _, _ in verified.standing()] == ["pending", "pending"]

    def test_switched_off_what_waits_is_handled_unasked(self, verified: Verified) -> None:
        verified.world.accept(*verified.payment())
        verified.world.drain()

        verified.choose("off")
        verified.drain()

        assert verified.standing() == [("done", "transaction_recorded", None)]


class TestAskAgain:
    def test_a_person_may_have_a_refused_event_asked_about_once_more(
        self, verified: Verified
    ) -> None:
        world = verified.world
        real = verified.payment()
        forged = forge(json.loads(json.dumps(real)), amount=10_001)
        world.accept(*forged)
        verified.drain()
        key = world.event(forged[0]["id"]).id
        rows = verified.server.site.tables["event"].rows
        content = json.loads(rows[forged[0]["id"]]["content"])
        content["transaction"]["amount"] = 10_001  # it was Chargebee that was wrong
        rows[forged[0]["id"]]["content"] = json.dumps(content)

        with transaction(world.engine) as session:
            verification.ask_again(session, key, "key:1")
        verified.drain()

        assert verified.standing() == [("done", "transaction_recorded", "confirmed")]
        assert ("event.asked_again", "key:1") in [
            (entry.action, entry.actor) for entry in world.all(AuditEntry)
        ]
        assert replay(world.engine).differences == []
        with (
            pytest.raises(verification.NotRefused),
            transaction(world.engine) as session,
        ):
            verification.ask_again(session, key, "key:1")
