"""What the pages of a site do at Chargebee: its webhook, its key, its log, its past, both sides."""

import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.history.jobs import drain_backfills
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import change_integration
from rewards_service.kit import ids
from rewards_service.kit.db import db, transaction
from rewards_service.reconciliation import jobs as comparisons
from rewards_service.reconciliation.reasons import REASONS
from rewards_service.reconciliation.sites import Sites
from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.history import make_history
from rewards_service.simulator.play import email_of
from rewards_service.simulator.server import SimulatorServer
from rewards_service.webhooks import jobs as events_jobs
from tests.admin.connect.conftest import Watch
from tests.admin.visitor import Visitor
from tests.builders.world import World

PAST = 12  # payments of four customers


def row(engine: Engine) -> Integration:
    with Session(engine, expire_on_commit=False) as session:
        return session.scalars(select(Integration)).one()


def webhooks(chargebee: SimulatorServer) -> list[dict[str, object]]:
    rows = chargebee.site.tables["webhook_endpoint"].rows.values()
    return [one for one in rows if not one.get("deleted")]


def secret_in(text: str) -> str:
    found = re.search(r'id="webhook-password" value="([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.fixture
def place(there: Settings, engine: Engine, here: str) -> str:
    """The address of a site whose API key Chargebee takes."""
    with transaction(engine) as session:
        key = session.scalars(select(Integration.id)).one()
        change_integration(session, there, key, {"api_key": KEY}, "test")
    return here


class TestWebhook:
    def test_it_is_made_with_the_site_and_looked_after(
        self, boss: Visitor, chargebee: SimulatorServer, engine: Engine, service: Flask,
        watch: Watch,
    ) -> None:  # fmt: skip
        """Nothing is held while Chargebee is asked: no connection to the database is in use."""
        with service.app_context():
            watch.look = db.engine.pool.checkedout  # type: ignore[attr-defined]
        asked = {"site": "acme-test", "api_key": KEY, "connect": "y", "convert_lead": "y",
                 "mode": "live"}  # fmt: skip
        made = boss.post("/integrations", **asked)
        place = f"/integrations/{ids.encode('int', row(engine).id)}"
        assert (made.status_code, len(webhooks(chargebee))) == (201, 1)
        assert "Chargebee has them already" in made.text
        webhooks(chargebee)[0]["disabled"] = True

        broken = boss.get(f"{place}/webhook/check")
        mended = boss.post(f"{place}/webhook/repair")

        assert "The webhook is switched off: nothing arrives." in broken.text
        assert "Repair puts this right." in broken.text
        assert "rewards connect repair" not in broken.text
        assert "Chargebee has the webhook as it should be." in mended.text
        assert webhooks(chargebee)[0]["disabled"] is False
        assert boss.post(f"{place}/disconnect", remove_webhook="yes").status_code == 302
        assert (webhooks(chargebee), row(engine).deleted_at is None) == ([], False)
        assert (len(watch.seen) >= 6, set(watch.seen)) == (True, {0})

    def test_two_passwords_are_good_while_one_takes_over(
        self, boss: Visitor, place: str, chargebee: SimulatorServer
    ) -> None:
        by_hand = boss.post(f"{place}/webhook/rotate", grace_hours="48")
        boss.post(f"{place}/webhook/repair")
        told = boss.post(f"{place}/webhook/rotate", grace_hours="2")
        later = boss.get(f"{place}/webhook").text
        refused = boss.post(f"{place}/webhook/rotate", grace_hours="1000")

        assert (by_hand.status_code, told.status_code, refused.status_code) == (201, 201, 422)
        assert "before <time" in by_hand.text
        assert "Chargebee was told already" in told.text
        assert webhooks(chargebee)[0]["basic_auth_password"] == secret_in(told.text)
        assert "still good" in later
        for page in (by_hand, told):
            assert secret_in(page.text) not in later
        assert "From 0 to 720 hours." in refused.text

    def test_deleting_it_leaves_the_connection(
        self, boss: Visitor, place: str, chargebee: SimulatorServer, engine: Engine
    ) -> None:
        boss.post(f"{place}/webhook/repair")
        assert boss.post(f"{place}/webhook/remove").status_code == 302
        assert (webhooks(chargebee), row(engine).deleted_at) == ([], None)

    def test_a_test_event_turns_green(self, boss: Visitor, place: str, engine: Engine) -> None:
        sent = boss.post(f"{place}/test").headers["Location"]
        assert "On its way" in boss.get(sent.partition("#")[0]).text
        events_jobs.drain(engine)

        assert "It came through." in boss.get(f"{place}/webhook").text


class TestKey:
    def test_it_is_tried_and_never_shown(
        self, boss: Visitor, place: str, chargebee: SimulatorServer, engine: Engine
    ) -> None:
        assert "Chargebee takes the key." in boss.get(f"{place}/api-key/check").text
        wrong = "live_wrong_wrong_wrong_wxyz"
        assert boss.post(f"{place}/api-key", api_key=wrong).status_code == 302
        tried = boss.get(f"{place}/api-key/check")
        assert "Chargebee does not know the API key." in tried.text
        assert "…wxyz" in tried.text
        assert "wrong_wrong" not in tried.text
        assert boss.post(f"{place}/api-key", api_key="").status_code == 422
        poll = boss.post(f"{place}/gap-filling")
        assert poll.status_code == 302
        assert "cannot be read" in boss.get(f"{place}/gap-filling").text

        assert boss.post(f"{place}/api-key/remove").status_code == 302
        assert row(engine).api_key_encrypted is None
        for tab in ("webhook/check", "api-key/check"):
            assert (
                "Nothing can be asked of acme-test"
                in boss.get(boss.get(f"{place}/{tab}").headers["Location"]).text
            )
        assert chargebee.url


class TestGapFilling:
    def test_the_log_is_read_now(
        self, boss: Visitor, place: str, chargebee: SimulatorServer, engine: Engine
    ) -> None:
        chargebee.runner.say("sign_up", {"email": "ada@analytical.example"})
        assert boss.post(f"{place}/gap-filling", since="wrong").status_code == 422
        assert boss.post(f"{place}/gap-filling").status_code == 302
        text = boss.get(f"{place}/gap-filling").text

        assert re.search(r"(\d+) events read: \1 were missing and are being handled", text)
        with Session(engine) as session:
            assert "poll" in set(session.scalars(select(ReceivedEvent.source)))


class TestPast:
    def test_it_is_fetched_priced_and_rewarded(
        self, boss: Visitor, service: Flask, there: Settings, engine: Engine,
        chargebee: SimulatorServer,
    ) -> None:  # fmt: skip
        world = World(service, engine, there)
        place = f"/integrations/{ids.encode('int', world.site.id)}"
        make_history(chargebee.site, PAST)
        world.lead(email_of(1), world.partner("<b>Ann</b>"))
        assert "API key first" in boss.get(f"{place}/history").text
        boss.post(f"{place}/history/fetch")
        assert "Nothing can be asked of" in boss.get(f"{place}/history").text
        boss.post(f"{place}/api-key", api_key=KEY)

        boss.post(f"{place}/history/fetch")
        begun = boss.get(f"{place}/history/progress").text
        boss.post(f"{place}/history/pause")
        paused = boss.get(f"{place}/history").text
        early = boss.get(f"{place}/history/cost")
        boss.post(f"{place}/history/fetch")
        with service.app_context():
            drain_backfills()
        fetched = boss.get(f"{place}/history").text
        cost = boss.get(f"{place}/history/cost").text
        before = world.earned()
        boss.post(f"{place}/history/rewards")
        with service.app_context():
            drain_backfills()
        while events_jobs.drain(engine) + rewards_jobs.drain(engine):
            pass

        assert "0 of " in begun
        assert "/history/progress" in begun
        assert "Go on" in paused
        assert "/history/progress" not in paused
        assert early.status_code == 302
        assert "Work out the cost" in fetched
        assert "&lt;b&gt;Ann" in cost
        assert f"${world.earned() / 100:,.2f}" in cost
        assert (before, world.earned() > 0) == (0, True)
        assert "No payment of the past is left." in boss.get(f"{place}/history/cost").text


class TestComparison:
    def test_it_is_asked_for_shown_and_mended(
        self, boss: Visitor, place: str, there: Settings, engine: Engine,
        chargebee: SimulatorServer,
    ) -> None:  # fmt: skip
        make_history(chargebee.site, PAST)
        backwards = boss.post(
            f"{place}/reconciliation", **{"from": "2026-02-01", "to": "2026-01-01"}
        )
        too_far = boss.post(f"{place}/reconciliation", to="9999-12-31")
        run = boss.post(f"{place}/reconciliation").headers["Location"]
        waiting = boss.get(run).text
        assert comparisons.drain(engine, Sites(there)) > 0
        done = boss.get(run).text
        again = boss.post(f"{run}/repair").headers["Location"]
        listed = boss.get(f"{place}/reconciliation").text

        assert backwards.status_code == 422
        assert "The period ends before it begins." in backwards.text
        assert too_far.status_code == 422
        assert 'id="to-error"' in too_far.text
        assert "Waiting for a worker" in waiting
        assert f'hx-get="{run}/state"' in waiting
        assert f"{PAST} differences" in done
        assert REASONS["too_old"].words in unescape(done)
        assert "Ask for it by its id" in done
        assert "Payments" in done
        assert "Compare again and mend" in done
        assert again != run
        assert listed.count("/reconciliation/rec_") == 2
        assert "hx-get" not in boss.get(f"{run}/state").text

    def test_that_of_another_site_is_not_shown(
        self, boss: Visitor, place: str, there: Settings, engine: Engine
    ) -> None:
        run = boss.post(f"{place}/reconciliation").headers["Location"].rpartition("/")[2]
        made = boss.post("/integrations", site="other", mode="live").text
        other = re.findall(r"/integrations/(int_\w+)/webhook", made)[0]

        assert boss.get(f"/integrations/{other}/reconciliation/{run}").status_code == 404
