"""The overview's figures, and how its bytes are sent."""

import gzip
import json
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import Engine

from rewards_service.admin import figures
from rewards_service.admin.numbers import weeks
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
