"""The reports over HTTP, on a story of two partners and two currencies that fits on a page.

Ann: 20.00 and 10.00 USD earned in January, of the first 8.00 taken back in February, 30.00 EUR in
February; her January dollars were paid on the last of January. Bob: 20.00 USD in February, held.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.db import transaction
from rewards_service.reports.registry import REPORTS
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.rewards.review import Order, carry_out
from tests.builders.api import Caller
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EFFECTS = ("earned_minor", "reversed_minor", "adjusted_minor", "declined_minor", "paid_minor")
PAID_OUT = datetime(2026, 1, 31, tzinfo=UTC)
STATEMENT = "/reports/partners/{}/statement"


@pytest.fixture
def story(world: World) -> World:
    ann, bob = world.partner("Ann"), world.partner("Bob")
    world.lead("ada@a.example", ann)
    world.deal("eve@e.example", bob)
    world.lead("nobody@n.example", ann)
    world.receive(paid("1", "cb1", "ada@a.example", day=2))
    world.receive(paid("2", "cb1", "ada@a.example", amount=5_000, day=20))
    _move(world, ["inv_1", "inv_2"], "approved", "in_payout")
    _move(world, ["inv_1", "inv_2"], "paid", happened_at=PAID_OUT)
    world.receive(refunded("r", "txn_1", 4_000, day=35))
    # Told together, and after the refund, though it came before.
    world.accept(paid("3", "cb1", "ada@a.example", 15_000, day=33, currency_code="EUR"))
    world.accept(paid("4", "cb2", "eve@e.example", day=45))
    world.drain()
    _move(world, ["inv_4"], "hold")
    return world


def _move(
    world: World, invoices: list[str], *way: str, happened_at: datetime | None = None
) -> None:
    for status in way:
        with transaction(world.engine) as session:
            query = select(Reward.id).where(Reward.invoice_id.in_(invoices), Reward.seq == 1)
            order = Order(status, "test", "test", happened_at=happened_at)
            carry_out(session, list(session.scalars(query)), order)


def ann(key: int = 1) -> str:
    return ids.encode("par", key)


def measures(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


class TestStatement:
    def test_it_tells_by_currency_what_changed_what_is_owed(
        self, story: World, api: Caller
    ) -> None:
        january = api.get(STATEMENT.format(ann()), month="2026-01")
        february = api.get(STATEMENT.format(ann()), month="2026-02")
        names = ("currency", "opening_minor", *EFFECTS, "closing_minor")

        assert [measures(row, *names) for row in january["currencies"]] == [
            ("USD", 0, 3_000, 0, 0, 0, -3_000, 0)
        ]
        assert [measures(row, *names) for row in february["currencies"]] == [
            ("EUR", 0, 3_000, 0, 0, 0, 0, 3_000),
            ("USD", 0, 0, -800, 0, 0, 0, -800),
        ]
        assert [measures(line, "effect", "amount_minor") for line in january["lines"]] == [
            ("earned", 2_000), ("earned", 1_000), ("paid", -2_000), ("paid", -1_000),
        ]  # fmt: skip
        assert january["lines"][0]["happened_at"] == "2026-01-03T12:00:00Z"
        assert (february["month"], february["before"]) == ("2026-02", "2026-03-01T00:00:00Z")

    def test_as_of_a_moment_it_says_what_it_said_then(self, story: World, api: Caller) -> None:
        with transaction(story.engine) as session:
            query = select(LedgerEntry.posted_at).where(LedgerEntry.kind == "reverse")
            before = session.scalars(query).one()
        then = api.get(STATEMENT.format(ann()), month="2026-02", as_of=rfc3339(before))
        earlier = api.get(STATEMENT.format(ann()), month="2026-02", as_of="2026-01-01T00:00:00Z")
        now = api.get(STATEMENT.format(ann()), month="2026-02", as_of=rfc3339(utc_now()))

        assert [row["currency"] for row in then["currencies"]] == ["USD"]
        assert then["currencies"][0]["closing_minor"] == -800
        assert (earlier["currencies"], earlier["lines"]) == ([], [])
        current = api.get(STATEMENT.format(ann()), month="2026-02")
        assert {**now, "as_of": None} == current

    def test_its_lines_come_in_pages(self, story: World, api: Caller) -> None:
        path = STATEMENT.format(ann())
        whole = api.get(path, month="2026-01")["lines"]
        found, query = [], {"month": "2026-01", "limit": 3}
        while True:
            page = api.get(path, **query)
            found += page["lines"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]

        assert found == whole
        assert api.call("GET", f"{path}?month=2026-02&cursor={query['cursor']}").status_code == 422

    def test_what_cannot_be_answered_is_refused(self, story: World, api: Caller) -> None:
        path = STATEMENT.format(ann())

        assert api.pointers("GET", path) == ["/month"]
        assert api.pointers("GET", f"{path}?month=2026-13") == ["/month"]
        assert api.pointers("GET", f"{path}?month=2026-01&as_of=2100-01-01T00:00:00Z") == ["/as_of"]
        assert api.pointers("GET", f"{path}?month=2026-01&convert_to=EUR") == ["/convert_to"]
        api.refused("GET", STATEMENT.format(ann(99)) + "?month=2026-01", 404)


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

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [("group_by=partner,partner", "/group_by"), ("group_by=mood", "/group_by"),
         ("month[gte]=2026", "/month[gte]"), ("convert_to=EURO", "/convert_to"),
         ("color=red", "/color"), ("status=gone", "/status")],
    )  # fmt: skip
    def test_what_is_not_understood_is_refused(self, api: Caller, query: str, pointer: str) -> None:
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

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [("interval=hour", "/interval"), ("timezone=Mars", "/timezone"),
         ("interval=day&happened_at[gte]=2001-01-01", "/interval"),
         ("happened_at[gte]=2026-02-01&happened_at[lt]=2026-02-01", "/happened_at[lt]")],
    )  # fmt: skip
    def test_what_cannot_be_shown_is_refused(self, api: Caller, query: str, pointer: str) -> None:
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


class TestLiability:
    def test_it_says_where_what_is_owed_stands(self, story: World, api: Caller) -> None:
        names = ("currency", "pending_minor", "held_minor", "owed_back_minor", "total_minor")
        report = api.get("/reports/liability")
        mine = api.get("/reports/liability", partner_id=ann(2), limit=1)
        past = api.get("/reports/liability", as_of="2026-01-01T00:00:00Z")

        assert [measures(row, *names) for row in report["totals"]] == [
            ("EUR", 3_000, 0, 0, 3_000), ("USD", 0, 2_000, -800, 1_200),
        ]  # fmt: skip
        assert [measures(row, "partner_id", *names) for row in mine["data"]] == [
            (ann(2), "USD", 0, 2_000, 0, 2_000)
        ]
        assert (past["totals"], past["data"]) == ([], [])

    def test_the_past_is_told_by_the_history_of_moves(self, story: World, api: Caller) -> None:
        """DOMAIN V2."""
        before = rfc3339(utc_now())
        with transaction(story.engine) as session:
            query = select(Reward.id).where(Reward.invoice_id == "inv_4")
            carry_out(session, list(session.scalars(query)), Order("approved", None, "test"))

        (then,) = api.get("/reports/liability", as_of=before, partner_id=ann(2))["data"]
        (now,) = api.get("/reports/liability", partner_id=ann(2))["data"]
        assert measures(then, "held_minor", "approved_minor") == (2_000, 0)
        assert measures(now, "held_minor", "approved_minor") == (0, 2_000)


class TestConversion:
    def test_it_follows_what_was_registered_to_its_first_payment(
        self, story: World, api: Caller
    ) -> None:
        report = api.get("/reports/conversion")
        deals = api.get("/reports/conversion", kind="deal")
        none = api.get("/reports/conversion", **{"registered_at[gte]": "2026-01-01T00:00:00Z"})

        assert report["total"] == {
            "registered": 3, "converted": 2, "paid": 2, "conversion_rate": "0.6667",
            "payment_rate": "0.6667", "median_days_to_conversion": "388.50",
            "median_days_to_payment": "388.50",
        }  # fmt: skip
        names = ("partner_id", "registered", "payment_rate")
        assert [measures(row, *names) for row in report["data"]] == [
            (ann(1), 2, "0.5000"), (ann(2), 1, "1.0000"),
        ]  # fmt: skip
        assert deals["total"]["registered"] == 1
        assert measures(none["total"], "registered", "conversion_rate") == (0, None)


class TestRegistry:
    def test_every_report_is_a_list_of_rows_with_named_columns(
        self, story: World, api: Caller
    ) -> None:
        """What files are written from is what the answers show."""
        asked = {
            "rewards": ("/reports/rewards", {"group_by": "month,rule"}),
            "timeseries": ("/reports/rewards/timeseries", {"happened_at[gte]": "2026-01-01",
                                                           "happened_at[lt]": "2026-03-01"}),
            "leaderboard": ("/reports/partners/leaderboard", {}),
            "statement": (STATEMENT.format(ann()), {"month": "2026-01"}),
            "liability": ("/reports/liability", {}),
            "conversion": ("/reports/conversion", {}),
        }  # fmt: skip
        assert asked.keys() == REPORTS.keys()
        for name, (path, query) in asked.items():
            answer = api.get(path, **query)
            report = REPORTS[name]
            wanted = {**report.query().load(query), "partner_id": 1}
            if name != "statement":
                del wanted["partner_id"]
            with Session(story.engine) as session:
                rows = [report.row().dump(row) for row in report.rows(session, wanted)]

            assert rows == answer["lines" if name == "statement" else "data"], name
            assert rows
            assert all(set(row) == set(report.columns(wanted)) for row in rows), name
