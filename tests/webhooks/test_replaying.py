"""One event is handled once more, and nothing is done twice."""

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import transaction
from rewards_service.mirror import service as mirror
from rewards_service.reports.digest import digest
from tests.builders.api import Caller
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World
from tests.webhooks.deciding import event_path, public, replay

ADA = "ada@one.example"


def digest_of(world: World) -> str:
    with Session(world.engine) as session:
        return digest(session)


def kill(world: World, event_id: str, **values: object) -> None:
    """As if the tries of a pending event had all failed."""
    with transaction(world.engine) as session:
        session.execute(
            update(ReceivedEvent)
            .where(ReceivedEvent.event_id == event_id)
            .values(state="dead", error="It failed.", attempts=8, **values)
        )


class TestReplay:
    def test_what_is_done_comes_to_the_same(self, world: World, api: Caller) -> None:
        """DOMAIN V9: a repeated cause posts nothing."""
        world.lead(ADA, world.partner("Ann"))
        world.deal(ADA, world.partner("Bob"))
        world.receive(
            paid("p", "cb_1", ADA),
            {**paid("p", "cb_1", ADA), "id": "ev_again", "occurred_at": 1_767_300_000},
            paid("q", "cb_2", "nobody@one.example"),
            refunded("r", "txn_p", 5_000, 1),
            refunded("x", "txn_unknown", 5_000, 1),
        )
        before, entries = digest_of(world), world.entries()

        for name in ("ev_p", "ev_again", "ev_q", "ev_r", "ev_x"):
            stood = world.event(name)
            for dry_run in (True, False):
                done = replay(api, world, name, dry_run=dry_run)
                assert (name, done["changed"], done["rewards"]) == (name, False, [])
            now = world.event(name)
            assert (now.outcome, now.results) == (stood.outcome, stood.results)
        assert (digest_of(world), world.entries()) == (before, entries)

    def test_a_dead_event_gets_another_try_and_earns(self, world: World, api: Caller) -> None:
        ann = world.partner("Ann")
        world.lead(ADA, ann)
        world.accept(paid("p", "cb_1", ADA))
        kill(world, "ev_p")

        shown = replay(api, world, "ev_p", dry_run=True)
        assert world.ended("ev_p") == ("dead", None)
        assert world.customers() == []
        done = replay(api, world, "ev_p")

        assert shown["before"] == {"state": "dead", "outcome": None, "error": "It failed."}
        assert shown["rewards"] == done["rewards"]
        assert [(row["partner_id"], row["amount_minor"]) for row in done["rewards"]] == [
            (public("par", ann), 2_000)
        ]
        assert (done["state"], done["outcome"], done["error"]) == (
            "done", "transaction_recorded", None,
        )  # fmt: skip
        assert shown["results"]["customer_id"] is None
        assert world.earned(ann) == 2_000

    def test_a_quarantined_event_stays_so_as_long_as_it_is_unsafe(
        self, world: World, api: Caller
    ) -> None:
        body = paid("p", "cb_1", ADA)
        body["content"]["transaction"]["amount"] = "100"
        world.receive(body)

        done = replay(api, world, "ev_p")

        assert (done["state"], done["outcome"], done["changed"]) == (
            "quarantined", "bad_payload", False,
        )  # fmt: skip

    def test_it_goes_by_the_options_it_met(self, world: World, api: Caller) -> None:
        """DOMAIN M13."""
        world.lead(ADA, world.partner("Ann"))
        world.switch(mode="off")
        world.receive(paid("p", "cb_1", ADA))
        world.switch(mode="live")

        assert replay(api, world, "ev_p")["outcome"] == "all_off"
        assert world.customers() == []

    def test_a_try_that_fails_leaves_all_as_it_was_but_the_error(
        self, world: World, api: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.lead(ADA, world.partner("Ann"))
        world.accept(paid("p", "cb_1", ADA))
        kill(world, "ev_p")

        def fails(*_args: object) -> None:
            raise ZeroDivisionError("again")

        monkeypatch.setattr(mirror, "store", fails)
        done = replay(api, world, "ev_p")

        assert (done["state"], done["error"]) == ("dead", "ZeroDivisionError: again")
        assert world.event("ev_p").error == "ZeroDivisionError: again"

    def test_what_is_still_to_come_is_not_replayed(self, world: World, api: Caller) -> None:
        world.accept(paid("p", "cb_1", ADA))

        found = api.refused("POST", event_path(world, "ev_p", "/replay"), 409)

        assert found["code"] == "event_pending"
