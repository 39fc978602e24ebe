"""The whole way through the API, the command line and the workers' job."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.app import create_app
from rewards_service.cli.main import main
from rewards_service.history.jobs import drain_backfills
from rewards_service.history.models import Backfill
from rewards_service.history.queries import has_due
from rewards_service.kit import ids
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.play import email_of
from tests.builders.api import Caller
from tests.builders.world import World
from tests.history.fetched import simulated
from tests.history.test_sudden_ends import environ_of

PAST = 40  # payments of four customers


def application(settings: Settings, url: str) -> tuple[Flask, Settings]:
    own = replace(settings, chargebee_api_base=url, chargebee_requests_per_minute=0)
    return create_app(own), own


class TestBackfill:
    def test_fetch_preview_and_post(self, world: World, settings: Settings) -> None:
        """DOMAIN M13: explicit and previewable."""
        partner = world.partner()
        world.lead(email_of(1), partner)
        name = ids.encode("int", world.site.id)
        here = f"/integrations/{name}/backfill"
        with simulated(invoices=PAST) as server:
            app, own = application(settings, server.url)
            api = Caller(app, own)
            assert api.refused("POST", here, 409)["code"] == "api_key_missing"
            api.change(f"/integrations/{name}", api_key=KEY)
            assert api.refused("GET", here, 404)["code"] == "not_found"
            begun = api.call("POST", here).get_json()
            assert (begun["state"], begun["unposted_payments"]) == ("running", None)
            assert api.refused("GET", f"{here}/rewards", 409)["code"] == "history_incomplete"
            assert api.call("POST", f"{here}/pause").get_json()["state"] == "paused"
            assert api.call("POST", here).get_json()["state"] == "running"
            with app.app_context():
                assert (drain_backfills(), drain_backfills()) == (1, 0)
        shown = api.get(here)
        cost = api.get(f"{here}/rewards")
        posted = api.call("POST", f"{here}/rewards").get_json()
        with app.app_context():
            drain_backfills()
        world.drain()

        assert (shown["state"], shown["unposted_payments"]) == ("done", PAST)
        assert (cost["payment_count"], cost["recorded_count"]) == (PAST, 10)
        assert cost["partners"] == [
            {
                "partner_id": ids.encode("par", partner), "currency": "USD", "reward_count": 10,
                "amount_minor": world.earned(),
            }
        ]  # fmt: skip
        assert cost["totals"] == [{"currency": "USD", "amount_minor": world.earned()}]
        assert posted["state"] == "posting"
        assert (api.get(here)["state"], api.get(here)["unposted_payments"]) == ("done", 0)
        assert api.get(f"{here}/rewards")["payment_count"] == 0


class TestCommand:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url

    def test_it_fetches_and_says_what_there_was(self, world: World, settings: Settings) -> None:
        with simulated(invoices=PAST) as server:
            app, own = application(settings, server.url)
            name = ids.encode("int", world.site.id)
            Caller(app, own).change(f"/integrations/{name}", api_key=KEY)

            def run(*arguments: str) -> tuple[int, str]:
                done = CliRunner().invoke(
                    main, ["backfill", "--integration", *arguments], env=environ_of(own)
                )
                return done.exit_code, done.output

            early, refused = run(name, "--post")
            status, text = run("acme-test", "--json")
            _, cost = run(name, "--preview")
            _, posted = run(name, "--post", "--json")
            unknown, problem = run("nobody")
        found = json.loads(text)

        assert (early, "never fetched" in refused) == (1, True)
        assert (status, found["state"], found["unposted_payments"]) == (0, "done", PAST)
        assert f"{PAST} payments of the past, 0 of them of known customers" in cost
        assert (json.loads(posted)["posted_events"], unknown) == (PAST, 1)
        assert "no integration nobody" in problem


class TestHasDue:
    def test_one_that_nobody_is_at(self, world: World) -> None:
        with Session(world.engine) as session:
            assert has_due(session) is False
            session.add(Backfill(integration_id=world.site.id))
            session.flush()
            assert has_due(session) is True
            session.scalars(select(Backfill)).one().state = "paused"
            session.flush()
            assert has_due(session) is False
