"""Comparisons over the API: asked for, done by a worker, read."""

from datetime import timedelta

from flask import Flask

from rewards_service.kit.clock import utc_now
from rewards_service.reconciliation import jobs
from tests.builders.api import Caller
from tests.builders.world import World
from tests.reconciliation.comparing import Opens, give_key
from tests.reconciliation.shop import Shop


class TestReconcile:
    def test_is_asked_for_and_reported(
        self, app: Flask, api: Caller, world: World, shop: Shop
    ) -> None:
        integration = api.get("/integrations")["data"][0]["id"]
        path = f"/integrations/{integration}/reconcile"
        assert api.refused("POST", path, 409)["code"] == "api_key_missing"
        give_key(world)
        shop.lose_all()
        payment = shop.pay(5_000)
        today = utc_now().date()
        wanted = {"from": str(today - timedelta(days=1)), "to": str(today), "repair": True}

        asked = api.call("POST", path, json=wanted)
        jobs.drain(world.engine, Opens(shop.api))

        assert asked.status_code == 202
        report = api.get(f"/reports/reconciliation/{asked.get_json()['id']}")
        assert (asked.get_json()["state"], report["state"]) == ("waiting", "done")
        assert (asked.get_json()["ok"], report["ok"]) == (None, False)
        assert report["asked_by"].startswith("key")
        assert report["sums"] == [
            {"line": "payments", "currency": "USD", "there_count": 1, "there_minor": 5_000,
             "here_count": 0, "here_minor": 0, "difference_minor": 5_000}
        ]  # fmt: skip
        rows = api.get(f"/reports/reconciliation/{report['id']}/differences")["data"]
        assert [(row["chargebee_id"], row["text"], row["repair"]) for row in rows] == [
            (payment, "Its event never arrived.", "poll")
        ]
        listed = api.get("/reports/reconciliation", integration_id=integration)["data"]
        assert [row["id"] for row in listed] == [report["id"]]
        world.drain()
        assert world.earned() == 1_000

    def test_a_period_that_ends_before_it_begins_is_refused(
        self, api: Caller, world: World
    ) -> None:
        integration = api.get("/integrations")["data"][0]["id"]
        period = {"from": "2026-02-01", "to": "2026-01-01"}
        answer = api.call("POST", f"/integrations/{integration}/reconcile", json=period)
        assert answer.status_code == 422
        assert world.site
