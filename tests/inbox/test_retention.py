"""Bodies of events go when they were kept long enough; all that followed from them stays."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import User, UserSession
from rewards_service.inbox.models import OtherDelivery, ReceivedEvent
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db, transaction
from rewards_service.replay.service import BodiesPurged, replay
from rewards_service.retention import jobs, purging
from rewards_service.settings import Settings
from tests.admin.visitor import Visitor, make_user
from tests.builders.api import Caller
from tests.builders.chargebee import paid, refunded
from tests.builders.whole import read, violations
from tests.builders.world import World

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ADA = "ada@buyer.example"


@pytest.fixture
def old(world: World, engine: Engine) -> World:
    """A payment that became a reward 40 days ago, one that is quarantined, one of today."""
    world.lead(ADA, world.partner())
    world.receive(paid("1", "cb_1", ADA), {**paid("q", "cb_2", ADA), "content": {"transaction": 1}})
    with transaction(engine) as session:
        past = utc_now() - timedelta(days=40)
        session.execute(update(ReceivedEvent).values(received_at=past))
    world.receive(paid("2", "cb_1", ADA, day=1))
    return world


def sizes(engine: Engine) -> list[int]:
    with Session(engine) as session:
        return list(
            session.scalars(select(func.length(ReceivedEvent.body)).order_by(ReceivedEvent.id))
        )


class TestPurge:
    def test_hash_and_the_event_stay(self, old: World, engine: Engine) -> None:
        before, books = sizes(engine), read(engine)
        dry = purging.purge(engine, 30, utc_now(), dry_run=True)
        assert (dry.bodies, dry.kept, sizes(engine)) == (1, 1, before)

        done = purging.purge(engine, 30, utc_now())

        assert (done.bodies, done.kept) == (1, 1)
        assert sizes(engine) == [0, *before[1:]]
        assert read(engine) == books
        assert violations(engine) == {}
        answer = old.site.post(paid("1", "cb_1", ADA))
        assert answer.get_json()["status"] == "duplicate"
        assert len(old.all(ReceivedEvent)) == 3

    def test_another_body_of_it_is_noted_and_not_kept(self, old: World, engine: Engine) -> None:
        purging.purge(engine, 30, utc_now())
        other = {**paid("1", "cb_1", ADA), "more": ADA}

        assert old.site.post(other).get_json()["status"] == "duplicate"
        with Session(engine) as session:
            found = session.scalars(select(OtherDelivery.body)).all()
            seen = select(ReceivedEvent.event_id).where(ReceivedEvent.other_body_seen)
            assert session.scalars(seen).all() == ["ev_1"]
        assert found == [b""]

    @ON_SQLITE
    def test_what_was_decided_later_goes_the_next_time(self, old: World, engine: Engine) -> None:
        purging.purge(engine, 30, utc_now())
        with transaction(engine) as session:
            waiting = ReceivedEvent.state == "quarantined"
            session.execute(update(ReceivedEvent).where(waiting).values(state="done"))

        assert purging.purge(engine, 30, utc_now()).bodies == 1
        assert purging.purge(engine, 30, utc_now()).bodies == 0
        assert [size > 0 for size in sizes(engine)] == [False, False, True]

    @ON_SQLITE
    def test_more_than_a_chunk_goes_in_chunks(
        self, old: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(purging, "CHUNK", 1)

        assert purging.purge(engine, 30, utc_now() + timedelta(days=31)).bodies == 2


class TestRunDue:
    @ON_SQLITE
    def test_it_runs_daily_and_as_the_setting_says(
        self, old: World, engine: Engine, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with app.app_context():
            with Session(db.engine) as session:
                assert jobs.has_due(session)
            assert jobs.run_due() == 0  # the setting's default: bodies are kept
            with Session(db.engine) as session:
                assert not jobs.has_due(session)
                assert purging.is_due(session, utc_now() + timedelta(days=1, seconds=1))
        own: Settings = app.extensions["rewards_settings"]
        monkeypatch.setitem(app.extensions, "rewards_settings", replace(own, retain_bodies_days=30))
        monkeypatch.setattr(jobs, "utc_now", lambda: utc_now() + timedelta(days=2))
        with app.app_context():
            assert jobs.run_due() == 1

    @ON_SQLITE
    def test_sessions_of_long_ago_go_too(
        self, app: Flask, settings: Settings, engine: Engine
    ) -> None:
        email = make_user(engine, settings)
        for _ in range(2):
            Visitor(app, settings).sign_in(email)
        with transaction(engine) as session:
            first = session.scalars(select(func.min(UserSession.id))).one()
            long_ago = utc_now() - timedelta(days=91)
            session.execute(
                update(UserSession).where(UserSession.id == first).values(created_at=long_ago)
            )

        assert purging.purge(engine, 0, utc_now()).sessions == 1
        with Session(engine) as session:
            assert session.scalars(select(func.count(UserSession.id))).one() == 1
            assert session.scalars(select(func.count(User.id))).one() == 1


@ON_SQLITE
class TestAfterwards:
    """Whoever asks for a body is told plainly that it is gone."""

    def test_api_pages_and_replays_say_so(
        self, old: World, engine: Engine, api: Caller, app: Flask, settings: Settings
    ) -> None:
        purging.purge(engine, 30, utc_now())
        events = api.get("/events", sort="id")["data"]
        first = events[0]["id"]
        person = Visitor(app, settings)
        person.sign_in(make_user(engine, settings))

        assert api.get(f"/events/{first}")["body"] is None
        assert api.refused("POST", f"/events/{first}/replay", 409)["code"] == "body_purged"
        assert api.call("GET", f"/events/{first}/near-misses").status_code == 200
        assert "RETAIN_BODIES_DAYS" in person.get(f"/events/{first}").text
        with pytest.raises(BodiesPurged, match="1 of 3 events"):
            replay(engine)

    def test_late_reversals_still_find_their_payment(self, old: World, engine: Engine) -> None:
        purging.purge(engine, 30, utc_now())
        earned = old.earned()
        old.receive(refunded("r", "txn_1", 5_000, day=3))

        assert old.earned() < earned
        assert violations(engine) == {}
