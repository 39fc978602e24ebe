"""Exports over HTTP: asked for, made by a worker, fetched, and nobody else's."""

import csv
from hashlib import sha256
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook

from rewards_service.exports import making, service
from rewards_service.kit import ids
from tests.builders.api import Caller, Json
from tests.builders.world import World
from tests.exports.asking import Work, ask, chunks, fetch


class TestExport:
    def test_a_list_is_asked_for_made_and_fetched_in_pieces(
        self, api: Caller, partners: World, work: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "PIECE", 100)
        monkeypatch.setattr("rewards_service.exports.routes.PIECE", 100)
        asked = ask(api, filters={"status": "active", "sort": "-id"})
        assert (asked["state"], asked["file"], asked["rows"]) == ("waiting", None, 0)
        early = api.refused("GET", f"/exports/{asked['id']}/file", 409)
        assert early["code"] == "export_not_ready"

        assert work() == 1
        made, content = api.get(f"/exports/{asked['id']}"), fetch(api, asked)

        assert (made["state"], made["rows"], made["size"]) == ("done", 3, len(content))
        assert made["sha256"] == sha256(content).hexdigest()
        assert made["file"] == f"/api/v1/exports/{asked['id']}/file"
        names = [row["name"] for row in csv.DictReader(StringIO(content.decode()))]
        assert names == ["Cy", "Bob", "Ann"]
        assert content == api.call("GET", "/partners?format=csv&sort=-id").get_data()
        assert chunks(partners) == -(-len(content) // 100) > 3

    def test_a_workbook_too(self, api: Caller, partners: World, work: Work) -> None:
        asked = ask(api, format="xlsx")
        work()
        rows = list(load_workbook(BytesIO(fetch(api, asked))).active.values)

        assert len(rows) == 4
        assert api.get(f"/exports/{asked['id']}")["file_name"].endswith(".xlsx")

    def test_what_cannot_be_is_refused_at_once(self, api: Caller) -> None:
        refused: list[tuple[Json, str]] = [
            ({"resource": "nothing"}, "/resource"),
            ({"resource": "me"}, "/resource"),
            ({"resource": "../rewards"}, "/resource"),
            ({"resource": None}, "/resource"),
            ({"report": "nothing"}, "/resource"),
            ({"format": "pdf"}, "/format"),
            ({"filters": {"stat": "x"}}, "/filters/stat"),
            ({"filters": {"status": "x"}}, "/filters/status"),
            ({"filters": {"status": 1}}, "/filters/status"),
            ({"filters": {"limit": "1"}}, "/filters/limit"),
        ]
        for body, pointer in refused:
            wanted = {"resource": "partners", "format": "csv", "filters": {}, **body}

            assert api.pointers("POST", "/exports", **wanted) == [pointer], body

    def test_deleting_removes_the_file(self, api: Caller, partners: World, work: Work) -> None:
        asked = ask(api)
        work()
        assert api.call("DELETE", f"/exports/{asked['id']}").status_code == 204

        assert (chunks(partners), api.get("/exports")["data"]) == (0, [])
        api.refused("GET", f"/exports/{asked['id']}", 404)

    def test_a_key_keeps_only_so_many(
        self, api: Caller, partners: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MOST_OF_A_KEY", 1)
        ask(api)
        refused = api.refused("POST", "/exports", 409, resource="partners", format="csv")

        assert refused["code"] == "too_many_exports"
        ask(api, api.make_key(["partners:read"]))


class TestWhoMay:
    def test_a_key_exports_what_it_may_list(self, api: Caller, partners: World) -> None:
        key = api.make_key(["crm:read"])
        answer = api.call("POST", "/exports", key, json={"resource": "partners", "format": "csv"})

        assert (answer.status_code, answer.get_json()["code"]) == (403, "missing_scope")
        assert "partners:read" in answer.get_json()["detail"]
        assert ask(api, key, resource="leads")["state"] == "waiting"

    def test_others_than_its_maker_and_an_admin_find_nothing(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        maker, other = api.make_key(["partners:read"]), api.make_key(["partners:read"])
        asked = ask(api, maker)
        work()
        for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
            hidden, missing = (
                api.call(method, f"/exports/{name}{path}", other)
                for name in (asked["id"], ids.encode("exp", 99))
            )
            assert (hidden.status_code, missing.status_code) == (404, 404)
            assert hidden.get_json()["detail"] == missing.get_json()["detail"]

        assert api.call("GET", "/exports", other).get_json()["data"] == []
        assert api.call("GET", "/exports?format=csv", other).get_data().count(b"\r\n") == 1
        assert len(api.call("GET", "/exports", maker).get_json()["data"]) == 1
        assert fetch(api, asked, maker) == fetch(api, asked)

    def test_the_file_is_made_with_what_the_key_may_do_then(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        key = api.make_key(["partners:read"])
        own = api.call("GET", "/me", key).get_json()["id"]
        asked = ask(api, key)
        assert api.call("DELETE", f"/api-keys/{own}").status_code == 204
        work()
        found = api.get(f"/exports/{asked['id']}")

        assert (found["state"], chunks(partners)) == ("failed", 0)
        assert "revoked" in found["error"]
