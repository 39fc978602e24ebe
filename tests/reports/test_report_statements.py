"""Statement, liability and conversion, over HTTP."""

from sqlalchemy import select

from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.db import transaction
from rewards_service.rewards.models import LedgerEntry
from tests.builders.api import Caller
from tests.builders.world import World
from tests.reports.story import STATEMENT, ann, measures, move

EFFECTS = ("earned_minor", "reversed_minor", "adjusted_minor", "declined_minor", "paid_minor")


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
        move(story, ["inv_4"], "approved")

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
