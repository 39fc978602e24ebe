"""Payout schedules and exchange rates over HTTP."""

from tests.builders.api import Caller, Json
from tests.payouts.books import Books


class TestExchangeRates:
    def test_a_held_payout_is_freed_by_a_rate(self, api: Caller, books: Books) -> None:
        """DOMAIN V7."""
        books.reward(books.partner(payout_currency="EUR"), 1_001)
        key = api.create("/payouts", currency="USD", cut_off="2026-04-01")["data"][0]["id"]
        held = api.refused("POST", f"/payouts/{key}/submit", 409)
        assert held["code"] == "rate_missing"
        rate = {"from_currency": "USD", "to_currency": "EUR", "rate_on": "2026-03-31",
                "rate": "0.9", "source": "ECB"}  # fmt: skip
        made = api.create("/exchange-rates", **rate)
        freed = api.call("POST", f"/payouts/{key}/refresh-rate").get_json()

        assert api.get(f"/exchange-rates/{made['id']}") == made
        assert api.get("/exchange-rates", to_currency="EUR")["data"] == [made]
        assert api.get("/exchange-rates", to_currency="USD")["data"] == []
        assert (freed["problem"], freed["pay_total_minor"]) == (None, 901)
        assert freed["conversion"]["exact_minor"] == "900.9"
        assert "rounded once, half-even: 9.01 EUR" in freed["conversion"]["text"]

    def test_what_is_no_rate_is_refused(self, api: Caller) -> None:
        rate = {"from_currency": "USD", "to_currency": "EUR", "rate_on": "2026-03-31",
                "rate": "0.9", "source": "ECB"}  # fmt: skip
        cases: tuple[Json, ...] = (
            {"rate": "0"}, {"rate": 1.5}, {"rate": "1/2"}, {"to_currency": "USD"}, {"source": ""},
        )  # fmt: skip
        for case in cases:
            found = api.pointers("POST", "/exchange-rates", **{**rate, **case})
            assert found == [f"/{name}" for name in case]


class TestPayoutSchedules:
    def test_the_life_of_a_schedule(self, api: Caller) -> None:
        made = api.create("/payout-schedules", kind="monthly", thresholds={"USD": 5_000})
        path = f"/payout-schedules/{made['id']}"
        assert (made["day"], made["enabled"], made["last_run_on"]) == (1, True, None)
        assert made["next_run_on"].endswith("-01")

        changed = api.change(path, kind="quarterly", day=5, thresholds=None, enabled=False)
        assert (changed["thresholds"], changed["next_run_on"]) == ({}, None)
        assert api.get(path) == changed
        assert api.get("/payout-schedules")["data"] == [changed]
        assert api.call("DELETE", path).status_code == 204
        assert api.call("GET", path).status_code == 404

    def test_what_cannot_work_is_refused(self, api: Caller) -> None:
        post = ("POST", "/payout-schedules")
        assert api.pointers(*post, kind="threshold") == ["/thresholds"]
        assert api.pointers(*post, kind="monthly", day=29) == ["/day"]
        assert api.pointers(*post, kind="monthly", program_id="prg_4zqsxdqv6b6nn") == [
            "/program_id"
        ]
