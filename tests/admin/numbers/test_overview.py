"""The overview's figures, and how its bytes are sent."""

import gzip
import json
import re
from datetime import timedelta
from html import unescape
from threading import enumerate as enumerate_threads

import pytest
from flask import Flask
from sqlalchemy import Engine

from rewards_service.admin import figures
from rewards_service.admin.numbers import keeping, summary, weeks
from rewards_service.admin.numbers.keeping import Kept
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.outbound.models import WebhookEndpoint
from tests.admin.test_pages import figure
from tests.admin.visitor import Visitor
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World

ENGLISH = {"Accept-Language": "en"}
EVE = "eve@buyer.example"


@pytest.fixture
def rewarded(world: World) -> World:
    """20.00 of which 10.00 were taken back, and 30.00, this hour."""
    world.lead(EVE, world.partner('Ann <"&'))
    today = (utc_now() - at(0)) / timedelta(days=1) - 0.01
    world.receive(
        paid("1", "cb1", EVE, 10_000, today), refunded("2", "txn_1", 5_000, today + 0.001),
        paid("3", "cb1", EVE, 15_000, today),
    )  # fmt: skip
    return world


def wait() -> None:
    """For figures that are being gathered."""
    for aside in enumerate_threads():
        if aside.name == "figures":
            aside.join()


class TestOverview:
    def test_what_many_rewards_are_worth_is_left_to_the_report(
        self, owner: Visitor, rewarded: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = owner.get("/", **ENGLISH).text
        monkeypatch.setattr(figures, "MOST_SUMMED", -1)
        monkeypatch.setattr(weeks, "MOST_SUMMED", 0)
        page = owner.get("/", **ENGLISH).text

        assert figure(whole, "To review").startswith("To review 2 $40.00")
        assert "too many to sum here" in figure(page, "On hold")
        assert "with those on hold" in figure(page, "To review")
        assert "Rewards made" in page
        assert "taken back</th>" not in page

    def test_the_picture_and_its_table_say_the_same_in_both_ways(
        self, owner: Visitor, rewarded: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with transaction(rewarded.engine) as session:
            summed = weeks.last_weeks(session)
            monkeypatch.setattr(weeks, "MOST_SUMMED", 0)
            counted = weeks.last_weeks(session)

        assert sum(week.rewards for week in counted) == 2
        assert [week.first for week in counted] == [week.first for week in summed]
        assert len(summed) == weeks.WEEKS
        assert [amount for week in summed for amount in week.amounts or ()] == [("USD", 4_000)]
        page = owner.get("/", **ENGLISH).text
        drawn = json.loads(unescape(re.findall(r'data-chart="([^"]+)"', page)[0]))
        assert drawn["series"][0]["values"] == [week.rewards for week in counted]

    def test_webhooks_that_fail_are_worth_a_look(self, owner: Visitor, engine: Engine) -> None:
        with transaction(engine) as session:
            session.add(WebhookEndpoint(
                url="https://x.example", description="", events=["*"], secret_encrypted="x",
                enabled=False, disabled_reason="gone",
            ))  # fmt: skip
        page = owner.get("/").text

        assert "1 webhook of yours was switched off" in page
        assert 'href="/webhook-endpoints">Look' in page


class TestLargeBooks:
    def test_figures_are_kept_and_renewed_aside(
        self,
        app: Flask,
        owner: Visitor,
        world: World,
        engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(summary, "LARGE", 0)
        monkeypatch.setitem(app.extensions, "rewards_summary", Kept(summary.gather))
        first = owner.get("/", **ENGLISH).text
        world.lead(EVE, world.partner())
        world.receive(paid("1", "cb1", EVE, 10_000))
        same = owner.get("/", **ENGLISH).text
        monkeypatch.setattr(keeping, "FRESH", timedelta(0))
        old = owner.get("/", **ENGLISH).text
        wait()
        new = owner.get("/", **ENGLISH).text
        wait()

        assert "Figures of <time" in first
        for page in (first, same, old):
            assert figure(page, "To review").startswith("To review 0 nothing")
        assert figure(new, "To review").startswith("To review 1 $20.00")


class TestPacking:
    def test_pages_and_texts_are_packed_for_those_who_take_it(self, owner: Visitor) -> None:
        wants = {"Accept-Encoding": "br, gzip"}
        for path in ("/", "/static/own/rewards.css", "/static/vendor/chart/dist/chart.umd.min.js"):
            plain, packed = owner.get(path), owner.get(path, **wants)

            assert "Content-Encoding" not in plain.headers
            assert packed.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in packed.headers["Vary"]
            assert len(packed.get_data()) < len(plain.get_data()) / 2
            if path != "/":  # tokens differ
                assert gzip.decompress(packed.get_data()) == plain.get_data()

    def test_files_of_lists_are_sent_as_they_come(self, owner: Visitor) -> None:
        answer = owner.get("/files/rewards", **{"Accept-Encoding": "gzip"})

        assert "Content-Encoding" not in answer.headers
