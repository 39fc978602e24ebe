"""Leads and deals from CSV: as if each had been entered by itself, all of them or none."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Lead
from rewards_service.kit.db import db, reserve_ids
from tests.builders.api import PROBLEM, Caller
from tests.builders.chargebee import paid
from tests.builders.whole import violations
from tests.builders.world import World
from tests.crm.importer import Importer, tally

LEADS, DEALS = "/leads/import", "/deals/import"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def importer(api: Caller) -> Importer:
    return Importer(api)


def rows_of(engine: Engine, model: Any) -> int:
    with Session(engine) as session:
        return session.scalars(select(func.count()).select_from(model)).one()


class TestLeads:
    def test_each_comes_as_if_it_had_been_entered_by_itself(
        self, importer: Importer, world: World, engine: Engine
    ) -> None:
        api = importer.api
        found = importer.done(
            LEADS,
            "email;company;partner_id;registered_at;external_id\n"
            "Eve@Büyer.example;Eve & Söhne;ann-1;2020-01-01T00:00:00Z;l-1\n"
            f"two@buyer.example;;{importer.bob};;l-2\n"
            "three@buyer.example;;ANN@partner.example;;\n",
        )
        by_hand = api.create("/leads", email="four@buyer.example", partner_id=importer.ann)
        leads = {one["email"]: one for one in api.get("/leads")["data"]}
        eve = leads["Eve@Büyer.example"]

        assert (found["rows"], tally(found)) == (3, (3, 0, 0))
        assert [one["line"] for one in found["results"]] == [2, 3, 4]
        assert found["results"][0] == {
            "line": 2, "result": "created", "id": eve["id"], "external_id": "l-1",
        }  # fmt: skip
        assert [one["partner_id"] for one in leads.values()] == [
            importer.ann, importer.bob, importer.ann, importer.ann,
        ]  # fmt: skip
        assert (eve["status"], eve["company"]) == (by_hand["status"], "Eve & Söhne")
        assert api.get("/leads", email="eve@xn--byer-0ra.example")["data"] == [eve]
        world.receive(paid("1", "cb1", "eve@büyer.example"))
        assert api.get(f"/leads/{eve['id']}")["status"] == "converted"
        entries = api.get("/audit-log", limit=200)["data"]
        created = [one["detail"] for one in entries if one["action"] == "lead.created"]
        assert [sorted(one["after"]) for one in created] == [sorted(created[-1]["after"])] * 4
        assert [one["detail"]["created"] for one in entries if one["action"] == "import.done"] == [
            3
        ]
        assert violations(engine) == {}

    def test_the_same_file_again_changes_nothing(self, importer: Importer, world: World) -> None:
        text = (
            "email,status,partner_id,registered_at,external_id\n"
            "eve@buyer.example,accepted,ann-1,2020-01-01T00:00:00Z,l-1\n"
            "two@buyer.example,pending,ann-1,,l-2\n"
        )
        importer.done(LEADS, text)
        world.receive(paid("1", "cb1", "eve@buyer.example"))
        before = importer.api.get("/leads")["data"]

        assert tally(importer.done(LEADS, text)) == (0, 0, 2)
        assert importer.api.get("/leads")["data"] == before
        assert before[0]["status"] == "converted"

    def test_a_known_external_id_is_changed_in_what_the_file_says(self, importer: Importer) -> None:
        importer.done(LEADS, "email,company,external_id\na@b.example,Old,l-1\nc@d.example,C,l-2\n")

        found = importer.done(LEADS, "external_id,company,status\nl-1,New,lost\nl-2,,\n")

        assert [one["result"] for one in found["results"]] == ["updated", "unchanged"]
        first, second = importer.api.get("/leads")["data"]
        assert (first["company"], first["status"], first["email"]) == ("New", "lost", "a@b.example")
        assert (second["company"], second["status"]) == ("C", "accepted")
        log = importer.api.get("/audit-log", action="lead.changed")["data"]
        assert [one["detail"]["after"] for one in log] == [{"status": "lost"}]

    def test_a_converted_lead_keeps_what_converted_it(
        self, importer: Importer, world: World
    ) -> None:
        header = "email,partner_id,registered_at,external_id"
        importer.done(LEADS, f"{header}\neve@buyer.example,ann-1,2020-01-01T00:00:00Z,l-1\n")
        world.receive(paid("1", "cb1", "eve@buyer.example"))

        assert importer.flaws(LEADS, f"external_id,partner_id\nl-1,{importer.bob}\n") == [(2, None)]
        assert tally(importer.done(LEADS, "external_id,company\nl-1,C\n")) == (0, 1, 0)


class TestAllOrNone:
    def test_one_bad_row_keeps_out_all_and_each_is_told(
        self, importer: Importer, engine: Engine
    ) -> None:
        text = (
            "email,status,partner_id,registered_at,company,external_id\n"
            "good@b.example,accepted,ann-1,2026-01-01T00:00:00Z,C,l-1\n"
            ",accepted,,,,\n"
            "x@b.example,converted,nobody,yesterday,=1+1,l-2\n"
            f'y@b.example,,,,"two\nlines",{"x" * 201}\n'
            "z@b.example,,,,,l-1\n"
        )
        entries = rows_of(engine, AuditEntry)
        for dry_run in ("false", "true"):
            status, found = importer.send(LEADS, text, dry_run=dry_run)
            told = {(error["line"], error["column"]) for error in found["errors"]}
            assert (status, told) == (
                422,
                {(3, "email"), (4, "status"), (4, "partner_id"), (4, "registered_at"),
                 (4, "company"), (5, "company"), (5, "external_id"), (7, "external_id")},
            )  # fmt: skip
            assert found["errors"][0]["pointer"] == "/3/email"
            assert found["detail"].startswith("8 errors in 4 lines")
        assert (rows_of(engine, Lead), rows_of(engine, AuditEntry)) == (0, entries)

    def test_a_dry_run_says_the_same_and_keeps_nothing(
        self, importer: Importer, engine: Engine
    ) -> None:
        importer.done(LEADS, "email,external_id\na@b.example,l-1\n")
        entries = rows_of(engine, AuditEntry)
        text = "email,external_id\nnew@b.example,l-1\nc@d.example,l-2\n"

        rehearsed = importer.done(LEADS, text, dry_run="true")
        kept = (rows_of(engine, Lead), rows_of(engine, AuditEntry))
        real = importer.done(LEADS, text)

        assert kept == (1, entries)
        assert (rehearsed["dry_run"], tally(rehearsed)) == (True, tally(real))
        assert [one["id"] is None for one in rehearsed["results"]] == [False, True]
        assert importer.api.get("/leads")["data"][0]["email"] == "new@b.example"

    @ON_SQLITE
    def test_no_more_statements_for_more_rows(self, importer: Importer, engine: Engine) -> None:
        seen: list[str] = []

        def count(*arguments: Any) -> None:
            seen.append(arguments[2])

        def statements(first: int, rows: int) -> int:
            lines = [f"{n}@b.example,ann-1,l-{n}" for n in range(first, first + rows)]
            seen.clear()
            importer.done(LEADS, "\n".join(["email,partner_id,external_id", *lines]))
            return len(seen)

        with importer.api.client.application.app_context():
            listened = db.engine
        event.listen(listened, "before_cursor_execute", count)
        few, many = statements(0, 3), statements(3, 300)
        seen.clear()
        again = "\n".join(f"l-{n},C{n % 7},{'lost' if n % 2 else ''}" for n in range(300))
        changed = importer.done(LEADS, f"external_id,company,status\n{again}")
        event.remove(listened, "before_cursor_execute", count)

        assert few == many
        assert (tally(changed), len(seen) <= few) == ((0, 300, 0), True)

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_an_external_id_that_somebody_enters_meanwhile_is_a_conflict(
        self, importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On SQLite nobody else can write then."""

        def meanwhile(*given: Any) -> list[int]:
            world.add(Lead(email="a@b.example", status="accepted", external_id="l-29"))
            return reserve_ids(*given)

        monkeypatch.setattr("rewards_service.crm.importing.reserve_ids", meanwhile)
        rows = "\n".join(f"{n}@b.example,l-{n}" for n in range(30))
        status, found = importer.send(LEADS, f"email,external_id\n{rows}")

        assert (status, found["code"]) == (409, "external_id_taken")
        assert len(importer.api.get("/leads")["data"]) == 1

    @ON_SQLITE
    def test_only_csv_in_utf_8_within_bounds_is_taken(self, importer: Importer) -> None:
        call = importer.api.call
        for kind in ("application/json", "text/csv; charset=iso-8859-1", "text/plain"):
            answer = call("POST", LEADS, data=b"email\n", content_type=kind)
            assert (answer.status_code, answer.get_json()["code"]) == (415, "not_csv"), kind
        large = call("POST", LEADS, data=b" " * (5 * 1024 * 1024 + 1), content_type="text/csv")
        assert (large.status_code, large.mimetype) == (413, PROBLEM)
        padded = b"email\n" + b"\n" * (2 * 1024 * 1024)
        assert call("POST", LEADS, data=padded, content_type="text/csv").status_code == 200
        assert importer.send(LEADS, "email\n", dry_run="maybe")[0] == 422
        assert importer.flaws(LEADS, "company\nC\n") == [(1, "email")]
        assert importer.flaws(DEALS, b"\xff") == [(1, None)]
