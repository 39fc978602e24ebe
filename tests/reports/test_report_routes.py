"""Rewards summed, over time and by partner, over HTTP; and all reports as lists of rows."""

from csv import DictReader
from io import StringIO
from typing import Any

from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.reports.story import STATEMENT, ann, measures


class TestRewards:
    def test_sums_stand_for_each_currency(self, story: World, api: Caller) -> None:
        report = api.get("/reports/rewards")

        assert [measures(row, "currency", "amount_minor", "paid_minor", "rewards")
                for row in report["data"]] == [
            ("EUR", 3_000, 0, 1), ("USD", 4_200, -3_000, 4),
        ]  # fmt: skip
        assert (report["convert_to"], report["rates"]) == (None, [])

    def test_groups_are_what_was_asked_for_in_that_order(self, story: World, api: Caller) -> None:
        by_month = api.get("/reports/rewards", group_by="month,partner", currency="USD")
        by_status = api.get("/reports/rewards", **{"group_by": "status", "month[gte]": "2026-02"})

        names = ("month", "partner_id", "amount_minor")
        assert [measures(row, *names) for row in by_month["data"]] == [
            ("2026-01", ann(1), 3_000), ("2026-02", ann(1), -800), ("2026-02", ann(2), 2_000),
        ]  # fmt: skip
        assert {(row["status"], row["currency"]): row["amount_minor"]
                for row in by_status["data"]} == {
            ("approved", "USD"): -800, ("hold", "USD"): 2_000, ("pending", "EUR"): 3_000,
        }  # fmt: skip
        assert "partner_id" not in by_status["data"][0]

    def test_pages_hold_every_group_once(self, story: World, api: Caller) -> None:
        for group_by in ("partner,month,currency", "month,status,rule"):
            query = {"group_by": group_by}
            whole = api.get("/reports/rewards", **query)["data"]
            found: list[Any] = []
            page = api.get("/reports/rewards", **query, limit="1")
            while True:
                found += page["data"]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
                page = api.get("/reports/rewards", **query, limit="1", **cursor)

            assert found == whole

    def test_sums_are_converted_where_a_rate_is_on_record_and_named_where_not(
        self, story: World, api: Caller
    ) -> None:
        """DOMAIN V7."""
        query = {"group_by": "partner", "convert_to": "EUR", "convert_on": "2026-03-01"}
        missing = api.get("/reports/rewards", **query)
        api.create(
            "/exchange-rates", from_currency="USD", to_currency="EUR", rate_on="2026-02-27",
            rate="0.8125", source="ECB",
        )  # fmt: skip
        found = api.get("/reports/rewards", **query, limit=1)

        assert missing["missing_rates"] == ["USD"]
        assert [measures(row, "currency", "amount_minor") for row in missing["data"]] == [
            ("EUR", 3_000), ("USD", 2_200), ("USD", 2_000),
        ]  # fmt: skip
        assert [measures(row, "currency", "amount_minor") for row in found["data"]] == [
            ("EUR", 4_788)  # 30.00 + 22.00 * 0.8125 = 47.875
        ]
        assert found["next_cursor"] is not None
        assert found["rates"] == [
            {"from_currency": "USD", "to_currency": "EUR", "rate": "0.8125",
             "rate_on": "2026-02-27", "source": "ECB"}
        ]  # fmt: skip

    def test_what_is_not_understood_is_refused(self, api: Caller) -> None:
        for query, pointer in (
            ("group_by=partner,partner", "/group_by"), ("group_by=mood", "/group_by"),
            ("month[gte]=2026", "/month[gte]"), ("convert_to=EURO", "/convert_to"),
            ("color=red", "/color"), ("status=gone", "/status"), ("cursor=AAAA", "/cursor"),
        ):  # fmt: skip
            assert api.pointers("GET", f"/reports/rewards?{query}") == [pointer]


class TestTimeseries:
    def test_gaps_are_filled_and_days_are_those_of_the_time_zone(
        self, world: World, api: Caller
    ) -> None:
        world.lead("ada@a.example", world.partner("Ann"))
        world.receive(paid("1", "cb1", "ada@a.example", day=0.49))  # 23:45 in UTC
        query = {"interval": "day", "happened_at[gte]": "2026-01-01",
                 "happened_at[lt]": "2026-01-04"}  # fmt: skip

        def days(**more: str) -> list[tuple[Any, ...]]:
            data = api.get("/reports/rewards/timeseries", **query, **more)["data"]
            return [measures(row, "period", "amount_minor") for row in data]

        assert days() == [("2026-01-01", 2_000), ("2026-01-02", 0), ("2026-01-03", 0)]
        assert days(timezone="Asia/Kolkata") == [
            ("2026-01-01", 0), ("2026-01-02", 2_000), ("2026-01-03", 0),
        ]  # fmt: skip

    def test_months_and_weeks_sum_to_the_same(self, story: World, api: Caller) -> None:
        span = {"happened_at[gte]": "2026-01-01", "happened_at[lt]": "2026-03-01"}
        for interval in ("month", "week", "day"):
            report = api.get(
                "/reports/rewards/timeseries", interval=interval, timezone="Europe/Berlin", **span
            )
            sums = {
                currency: sum(row["amount_minor"] for row in report["data"]
                              if row["currency"] == currency)
                for currency in ("EUR", "USD")
            }  # fmt: skip
            assert sums == {"EUR": 3_000, "USD": 4_200}, interval

    def test_what_cannot_be_shown_is_refused(self, api: Caller) -> None:
        for query, pointer in (
            ("interval=hour", "/interval"), ("timezone=Mars", "/timezone"),
            ("interval=day&happened_at[gte]=2001-01-01", "/interval"),
            ("happened_at[gte]=2026-02-01&happened_at[lt]=2026-02-01", "/happened_at[lt]"),
        ):  # fmt: skip
            assert api.pointers("GET", f"/reports/rewards/timeseries?{query}") == [pointer]


class TestLeaderboard:
    def test_equal_partners_share_a_rank(self, story: World, api: Caller) -> None:
        path = "/reports/partners/leaderboard"
        earned = api.get(path, metric="earned", period="2026-Q1", currency="USD")
        ties = api.get(path, metric="conversions")
        paid_out = api.get(path, metric="paid", period="2026-01")
        february = api.get(path, metric="net", period="2026-02", currency="USD", limit=1)

        names = ("rank", "partner_name", "amount_minor")
        assert [measures(row, *names) for row in earned["data"]] == [
            (1, "Ann", 3_000), (2, "Bob", 2_000),
        ]  # fmt: skip
        assert [measures(row, "rank", "partner_name", "count") for row in ties["data"]] == [
            (1, "Ann", 1), (1, "Bob", 1),
        ]  # fmt: skip
        assert [measures(row, "partner_id", "amount_minor") for row in paid_out["data"]] == [
            (ann(), 3_000)
        ]
        assert [row["partner_name"] for row in february["data"]] == ["Bob"]
        assert api.pointers("GET", f"{path}?period=2026-Q5") == ["/period"]


class TestFiles:
    def test_every_report_is_a_file_too_of_the_rows_that_it_shows(
        self, story: World, api: Caller
    ) -> None:
        asked = {
            "/reports/rewards": {"group_by": "month,rule"},
            "/reports/rewards/timeseries": {"happened_at[gte]": "2026-01-01",
                                            "happened_at[lt]": "2026-03-01"},
            "/reports/partners/leaderboard": {},
            STATEMENT.format(ann()): {"month": "2026-01"},
            "/reports/liability": {},
            "/reports/conversion": {},
        }  # fmt: skip
        for path, query in asked.items():
            answer = api.get(path, **query)
            rows = answer["data" if "data" in answer else "lines"]
            text = api.call("GET", path, query_string={**query, "format": "csv"}).text
            found = list(DictReader(StringIO(text)))

            assert rows, path
            assert set(found[0]) == set(rows[0]), path
            assert found == [
                {name: "" if value is None else str(value) for name, value in row.items()}
                for row in rows
            ], path

    def test_a_file_of_a_report_has_all_of_its_pages(self, story: World, api: Caller) -> None:
        query = {"group_by": "partner,month", "limit": "1", "format": "csv"}
        text = api.call("GET", "/reports/rewards", query_string=query).text
        whole = api.get("/reports/rewards", group_by="partner,month")["data"]

        assert len(whole) > 1
        assert len(text.splitlines()) == 1 + len(whole)
