"""Lists as files: every list, its filters, to its end, of one moment."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import text
from werkzeug.test import TestResponse

from rewards_service.kit import formats, walking
from rewards_service.kit.db import transaction
from rewards_service.kit.files import TYPES
from rewards_service.kit.tables import cells_of
from rewards_service.partners.models import Partner
from tests.builders.api import PREFIX, PROBLEM, Caller, Json
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World

CSV, XLSX = TYPES["csv"], TYPES["xlsx"]
EMAIL = "eve@buyer.example"


@pytest.fixture
def books(world: World) -> World:
    """Three partners, and for one of them a reward of 20.00 of which 10.00 are taken back."""
    world.lead(EMAIL, world.partner())
    for name in ("Bob", "Cy"):
        world.partner(name)
    world.receive(paid("1", "cb1", EMAIL, 10_000), refunded("2", "txn_1", 5_000))
    return world


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 1)


def ask(api: Caller, path: str, accept: str = CSV) -> TestResponse:
    return api.call("GET", path, headers={"Accept": accept})


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.get_data().decode(), newline="")))


def lists(app: Flask) -> Iterator[tuple[str, Any]]:
    for rule in app.url_map.iter_rules():
        table = getattr(app.view_functions[rule.endpoint], "table", None)
        if table is not None:
            yield rule.rule.removeprefix(PREFIX), table


class TestCsv:
    def test_every_list_holds_the_rows_that_it_shows(
        self, app: Flask, api: Caller, books: World
    ) -> None:
        ids = {"reward_id": api.get("/rewards")["data"][0]["id"],
               "program_id": api.get("/programs")["data"][0]["id"]}  # fmt: skip
        tried = set()
        for rule, table in lists(app):
            path = re.sub(r"<(\w+)>", lambda found: ids.get(found[1], ""), rule)
            if "//" in path or path.endswith("/"):
                continue
            shown: list[Json] = api.get(path)["data"]
            cells = [cells_of(table.columns, row) for row in shown]
            found = [list(row.values()) for row in rows_of(ask(api, path))]

            assert len(found) == len(cells), path
            assert [row[0] for row in found] == ["" if r[0] is None else str(r[0]) for r in cells]
            tried.add(path)
        assert tried > {"/rewards", "/partners", "/events", "/audit-log", "/payouts", "/exports"}

    def test_it_goes_to_the_end_of_the_list_in_its_order_with_its_filters(
        self, api: Caller, books: World, in_pieces: None
    ) -> None:
        names = [row["name"] for row in rows_of(ask(api, "/partners?limit=1&sort=-id"))]
        few = rows_of(ask(api, "/partners?status=active&sort=created_at&limit=200"))
        cursor = api.get("/partners", limit=1)["next_cursor"]
        later = rows_of(ask(api, f"/partners?cursor={cursor}"))

        assert names == ["Cy", "Bob", "Ann"]
        assert [row["name"] for row in few] == names[::-1]
        assert [row["name"] for row in later] == names[1::-1]
        assert rows_of(ask(api, "/partners?status=paused")) == []

    def test_it_says_what_it_is(self, api: Caller, books: World) -> None:
        answer = ask(api, "/rewards?format=csv", "*/*")

        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        name = r'attachment; filename="rewards-\d{4}-\d\d-\d\d\.csv"'
        assert re.fullmatch(name, answer.headers["Content-Disposition"])
        assert "Accept" in answer.vary
        assert answer.get_data().startswith(b"id,partner_id,")  # no byte order mark
        (row,) = rows_of(answer)
        assert (row["amount_minor"], row["currency"]) == ("1000", "USD")
        assert '"amount_minor":-1000' in row["entries"]

    def test_formulas_are_texts(self, api: Caller, books: World) -> None:
        api.create("/partners", name="=1+1", email="f@partner.example")

        assert rows_of(ask(api, "/partners"))[-1]["name"] == "'=1+1"
        reward = api.get("/rewards")["data"][0]["id"]
        amounts = [row["amount_minor"] for row in rows_of(ask(api, f"/rewards/{reward}/activity"))]
        assert amounts == ["2000", "-1000"]

    def test_all_rows_are_of_one_moment(self, api: Caller, books: World, in_pieces: None) -> None:
        api.get("/partners")  # notes the use of the key, which would have to write
        answer = ask(api, "/partners")
        parts = answer.iter_encoded()
        begun = next(parts) + next(parts)
        with transaction(books.engine) as session:
            session.execute(text("UPDATE partners SET name = 'Other'"))
            session.add(Partner(name="Dora", email="d@partner.example", status="active"))
        whole = (begun + b"".join(parts)).decode()
        answer.close()

        assert [row["name"] for row in csv.DictReader(StringIO(whole))] == ["Ann", "Bob", "Cy"]

    def test_an_error_before_the_first_row_is_a_problem(self, api: Caller) -> None:
        for path, status in (
            ("/rewards?stat=1", 422), ("/payouts/pay_4zqsxdqv6b6nn/lines", 404),
            ("/rewards?format=xml", 422), ("/rewards?cursor=AAAA", 422),
        ):  # fmt: skip
            answer = ask(api, path)
            assert (answer.status_code, answer.mimetype) == (status, PROBLEM), path

    def test_an_error_in_the_midst_never_looks_like_an_end(
        self, app: Flask, api: Caller, books: World, in_pieces: None, monkeypatch: Any
    ) -> None:
        table: Any = dict(lists(app))["/partners"]
        read = table._cells
        seen: list[int] = []

        def fail(columns: Any, answer: Any) -> Any:
            seen.append(1)
            if len(seen) == 3:
                raise RuntimeError("the database went away")
            return read(columns, answer)

        monkeypatch.setattr(table, "_cells", fail)
        parts, got = ask(api, "/partners").iter_encoded(), list[bytes]()
        with pytest.raises(RuntimeError):
            got.extend(parts)

        assert len(seen) == 3
        assert got[-1] == f"{formats.BROKEN_OFF}\r\n".encode()

    def test_only_so_many_are_sent_at_once_and_each_end_makes_room(
        self, api: Caller, books: World
    ) -> None:
        sent = [ask(api, "/partners") for _ in range(formats.MOST_STREAMS)]
        refused = ask(api, "/partners")
        for answer in reversed(sent):
            answer.close()

        assert (refused.status_code, refused.get_json()["code"]) == (503, "exports_busy")
        assert int(refused.headers["Retry-After"]) > 0
        assert len(rows_of(ask(api, "/partners"))) == 3


class TestWorkbook:
    def test_a_list_is_a_sheet_with_amounts_as_numbers(self, api: Caller, books: World) -> None:
        answer = ask(api, "/rewards", XLSX)
        header, row = load_workbook(BytesIO(answer.get_data())).active.iter_rows(values_only=True)
        found = dict(zip(header, row, strict=True))

        assert answer.headers["Content-Disposition"].endswith('.xlsx"')
        assert (found["amount_minor"], found["amount"], found["currency"]) == (1_000, 10, "USD")

    def test_one_that_is_too_long_to_wait_for_is_refused(
        self, api: Caller, books: World, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(formats, "MOST_ROWS_AT_ONCE", 2)
        answer = ask(api, "/partners", XLSX)

        assert (answer.status_code, answer.get_json()["code"]) == (422, "too_many_rows")


class TestOtherFormats:
    def test_what_is_not_served_is_refused(self, api: Caller, books: World) -> None:
        partner = api.get("/partners")["data"][0]["id"]
        for path, accept in (
            ("/partners", "text/html"), ("/partners", "text/csv;q=0"),
            (f"/partners/{partner}", CSV),
        ):  # fmt: skip
            answer = ask(api, path, accept)
            assert (answer.status_code, answer.get_json()["code"]) == (406, "not_acceptable"), path
        assert ask(api, "/partners?format=json", "text/html").status_code == 200

    def test_the_document_names_all_formats_and_json_first(self, api: Caller) -> None:
        document = api.client.get("/api/openapi.json").get_json()
        answer = document["paths"][f"{PREFIX}/rewards"]["get"]["responses"]["200"]

        assert next(iter(answer["content"])) == TYPES["json"]  # what generated clients take
        assert set(answer["content"]) == set(TYPES.values())


class TestPagesInTime:
    def test_a_list_limited_in_a_time_is_in_its_order_and_holds_each_row_once(
        self, api: Caller, world: World
    ) -> None:
        world.lead(EMAIL, world.partner())
        days = {"1": 5, "2": 1, "3": 3, "4": 1}
        world.receive(*(paid(n, "cb1", EMAIL, 1_000, day=day) for n, day in days.items()))
        for sort in ("id", "-id"):
            path = f"/transactions?occurred_at[gte]=2026-01-01T00:00:00Z&limit=1&sort={sort}"
            found: list[str] = []
            while path:
                answer = api.call("GET", path)
                found += [row["occurred_at"] for row in answer.get_json()["data"]]
                link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
                path = link[1].removeprefix(PREFIX) if link else ""

            assert len(found) == 4
            assert found == sorted(found, reverse=sort == "-id")
