"""Reports as pages: what they show is what the API gives, and they say how to ask it."""

import html
import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from rewards_service.admin.numbers.report_list import REPORTS
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.api import Caller
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

EVE, MAX = "eve@buyer.example", "max@buyer.example"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def partner(world: World) -> str:
    """A partner with 20.00 USD of which 10.00 were taken back, and 30.00 EUR."""
    key = world.partner("Ann & Söhne")
    world.lead(EVE, key)
    world.lead(MAX, key)
    world.receive(
        paid("1", "cb1", EVE, 10_000), refunded("2", "txn_1", 5_000),
        paid("3", "cb2", MAX, 15_000, currency_code="EUR"),
    )  # fmt: skip
    return ids.encode("par", key)


def charts(page: str) -> list[dict[str, object]]:
    found = re.findall(r'data-chart="([^"]+)"', page)
    return [json.loads(html.unescape(text)) for text in found]


def call_of(page: str) -> str:
    found = re.search(r"<b>GET</b> <code>([^<]+)</code>", page)
    assert found is not None
    return html.unescape(found.group(1))


class TestReports:
    def test_the_call_that_is_shown_gives_what_is_shown(
        self, owner: Visitor, api: Caller, partner: str
    ) -> None:
        assert "Choose what to look at" in owner.get("/reports/conversion").text
        for name in REPORTS.keys() - {"statement"}:
            since = "?registered_at[gte]=2020-01-01T00:00:00Z" if name == "conversion" else ""
            page = owner.get(f"/reports/{name}{since}", **ENGLISH).text
            call = call_of(page)
            rows = api.call("GET", call.removeprefix("/api/v1")).get_json()["data"]
            file = re.search(r'href="(/files/reports[^"]+)"', page)

            assert rows
            assert {row.get("partner_id", partner) for row in rows} == {partner}
            assert "Ann &amp; Söhne" in page
            assert f"{call}&#34;</pre>" in page.replace("&amp;", "&")
            assert file is not None
            assert owner.get(html.unescape(file.group(1))).mimetype == "text/csv"

    def test_currencies_stand_side_by_side_and_are_never_summed(
        self, owner: Visitor, partner: str
    ) -> None:
        page = owner.get("/reports/rewards?group_by=partner&group_by=month", **ENGLISH).text
        drawn = charts(page)

        assert [chart["currency"] for chart in drawn] == ["EUR", "USD"]
        assert [chart["series"][0]["values"] for chart in drawn] == [[3_000], [1_000]]  # type: ignore[index]
        assert "€30.00" in page
        assert "$10.00" in page
        assert "group_by=partner%2Cmonth" in call_of(page)

    def test_what_is_converted_names_its_rates_and_those_it_lacks(
        self, owner: Visitor, api: Caller, partner: str
    ) -> None:
        lacking = owner.get("/reports/liability?convert_to=USD", **ENGLISH).text
        rate = api.call("POST", "/exchange-rates", json={
            "from_currency": "EUR", "to_currency": "USD", "rate": "1.1",
            "rate_on": api_today(api), "source": "ECB",
        })  # fmt: skip
        page = owner.get("/reports/liability?convert_to=USD", **ENGLISH).text

        assert rate.status_code == 201
        assert "There is no rate from EUR to USD" in lacking
        assert "1 EUR = 1.1 USD (ECB" in page
        assert [chart["currency"] for chart in charts(page)] == ["USD"]
        assert "$43.00" in page

    def test_a_statement_asks_for_a_partner_first_and_can_be_as_it_was_known(
        self, owner: Visitor, api: Caller, partner: str
    ) -> None:
        first = owner.get("/reports/statement").text
        month = api.get("/reports/rewards", group_by="month")["data"][0]["month"]
        path = f"/reports/statement?partner_id={partner}&month={month}&currency=USD"
        now = owner.get(path, **ENGLISH).text
        then = owner.get(f"{path}&as_of=2020-01-01T00:00:00Z", **ENGLISH).text

        assert "Choose what to look at" in first
        assert f"/api/v1/reports/partners/{partner}/statement?month={month}" in call_of(now)
        assert "$10.00" in now
        assert "Owed after" in now
        assert "Nothing fits" in then

    def test_days_stand_for_the_times_that_the_api_wants(
        self, owner: Visitor, partner: str
    ) -> None:
        won = owner.get("/reports/conversion?registered_at[gte]=2020-01-01", **ENGLISH).text
        then = owner.get("/reports/liability?as_of=2020-01-31", **ENGLISH).text
        now = owner.get(f"/reports/liability?as_of={utc_now().date()}", **ENGLISH).text

        assert "registered_at%5Bgte%5D=2020-01-01T00%3A00%3A00Z" in call_of(won)
        assert 'type="date" value="2020-01-01"' in won
        assert "as_of=2020-01-31T23%3A59%3A59Z" in call_of(then)
        assert "as_of" not in call_of(now)  # a day that is not over: as it is
        assert "$10.00" in now

    def test_months_are_called_by_their_names(
        self, owner: Visitor, api: Caller, partner: str
    ) -> None:
        month = api.get("/reports/rewards", group_by="month")["data"][0]["month"]
        named = f"{datetime.strptime(month, '%Y-%m').replace(tzinfo=UTC):%b %Y}"
        pages = [
            owner.get(path, **ENGLISH).text
            for path in ("/reports/rewards?group_by=month", f"/partners/{partner}/statement")
        ]

        assert charts(pages[0])[0]["labels"] == [named]
        assert f">{named}</td>" in pages[0]
        assert f">{named}<span" in pages[1]

    def test_what_the_api_refuses_stands_at_its_field(self, owner: Visitor) -> None:
        page = owner.get("/reports/rewards?month[gte]=May&colour=red&currency=XXX")
        series = owner.get("/reports/timeseries?interval=day&happened_at[gte]=2000-01-01")
        unknown = owner.get("/reports/statement?partner_id=../x&month=2026-01")

        assert [page.status_code, series.status_code, unknown.status_code] == [422] * 3
        assert "Not a month such as 2026-01." in page.text
        assert 'value="May"' in page.text
        assert "colour: Unknown field." in page.text
        assert 'aria-invalid="true"' in series.text

    def test_pages_follow_each_other(
        self, owner: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            world.lead(f"x{number}@buyer.example", world.partner(f"P{number}"))
            world.receive(paid(str(number), f"cb{number}", f"x{number}@buyer.example", 10_000))
        first = owner.get("/reports/rewards?group_by=partner&limit=2").text
        following = re.search(r'href="([^"]+)" rel="next"', first)
        assert following is not None
        second = owner.get(html.unescape(following.group(1))).text

        assert parse_qs(urlsplit(html.unescape(following.group(1))).query)["limit"] == ["2"]
        named = re.compile(r'data-label="Partner">(?:<a [^>]*>)?<bdi>(P\d)')
        cells = [named.findall(page) for page in (first, second)]
        assert cells == [["P0", "P1"], ["P2"]]

    def test_names_are_text_in_pictures_and_tables(self, owner: Visitor, world: World) -> None:
        name = '"><script>alert(1)</script>'
        world.lead(EVE, world.partner(name))
        world.receive(paid("1", "cb1", EVE, 10_000))
        page = owner.get("/reports/leaderboard?period=all").text

        assert "<script>alert" not in page
        assert charts(page)[0]["labels"] == [name]

    def test_each_role_reads_them(self, enter: Enter) -> None:
        person = enter("viewer")
        assert person.get("/reports").status_code == 200
        assert "API keys</a>" not in person.get("/reports/rewards").text


def api_today(api: Caller) -> str:
    """The day of the service's clock."""
    day: str = api.get("/reports/liability", convert_to="USD")["convert_on"]
    return day
