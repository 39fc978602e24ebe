"""What every operation of the HTTP interface keeps to."""

import re
from dataclasses import replace
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rewards_service.accounts.service import SCOPES
from rewards_service.app import create_app
from rewards_service.kit.web import ANY_KEY
from rewards_service.settings import Settings
from tests.builders.api import PREFIX, PROBLEM, Caller, operations


class TestScopes:
    def test_every_operation_names_one(self, app: Flask) -> None:
        named = {scope for _, _, scope in operations(app)}

        assert named <= {*SCOPES, ANY_KEY}

    def test_nothing_answers_without_a_key(self, app: Flask, client: FlaskClient) -> None:
        for method, path, _ in operations(app):
            answer = client.open(PREFIX + path, method=method)

            assert (answer.status_code, answer.mimetype) == (401, PROBLEM), path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_view_that_names_no_scope_is_closed_to_all(self, settings: Settings) -> None:
        app = create_app(settings)
        app.add_url_rule(f"{PREFIX}/forgotten", view_func=lambda: "secret")

        assert Caller(app, settings).call("GET", "/forgotten").status_code == 403


class TestDocument:
    def test_every_operation_is_documented(self, app: Flask, client: FlaskClient) -> None:
        document = client.get("/api/openapi.json").get_json()
        described = {
            (method.upper(), re.sub(r"{[^}]+}", "none", path).removeprefix(PREFIX))
            for path, item in document["paths"].items()
            for method in item
            if method != "parameters"
        }

        assert document["openapi"].startswith("3.1")
        assert described == {(method, path) for method, path, _ in operations(app)}

    def test_errors_are_documented_as_problems(self, client: FlaskClient) -> None:
        answers = client.get("/api/openapi.json").get_json()["components"]["responses"]

        assert {kind for answer in answers.values() for kind in answer["content"]} == {PROBLEM}


class TestProblems:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nowhere", 404),
            ("GET", "/api/v1/nowhere", 404),
            ("GET", "/api/v1/leads/led_nothing", 404),
            ("GET", "/api/v1/leads/par_4zqsxdqv6b6nn", 404),
            ("PUT", "/api/v1/leads", 405),
            ("POST", "/livez", 405),
            ("POST", "/api/v1/leads", 415),
            ("GET", "/api/v1/leads?nothing=1", 422),
            ("GET", "/api/v1/leads?limit=1&limit=2", 422),
            ("GET", "/api/v1/leads?limit=201", 422),
            ("GET", "/api/v1/leads?cursor=AAAA", 422),
        ],
    )
    def test_every_error_has_the_same_shape(
        self, api: Caller, method: str, path: str, status: int
    ) -> None:
        headers = {"Authorization": f"Bearer {api.key}"}
        answer = api.client.open(path, method=method, headers=headers)
        problem = answer.get_json()

        assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
        assert problem.keys() >= {"type", "title", "status", "detail", "code", "request_id"}
        assert (problem["status"], "errors" in problem) == (status, status == 422)
        assert problem["request_id"] == answer.headers["X-Request-ID"]

    def test_a_word_in_the_place_of_an_id_has_its_own_methods_only(self, api: Caller) -> None:
        for method, status in (("GET", 405), ("OPTIONS", 200)):
            answer = api.call(method, "/payouts/export")

            assert answer.status_code == status
            assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}

    def test_what_takes_no_parameters_refuses_any(self, api: Caller) -> None:
        assert api.pointers("GET", "/me?verbose=1") == ["/verbose"]

    def test_a_crash_is_a_problem_that_tells_nothing(self, settings: Settings) -> None:
        def crash() -> str:
            raise RuntimeError("a secret")

        app = create_app(settings)
        app.add_url_rule("/api/crash", view_func=crash)
        answer = app.test_client().get("/api/crash")

        assert (answer.status_code, answer.mimetype) == (500, PROBLEM)
        assert "secret" not in answer.text

    def test_a_missing_database_is_a_503_to_be_tried_again(self, settings: Settings) -> None:
        away = replace(settings, database_url="sqlite:////nowhere/at/all.db")
        client = create_app(away).test_client()
        answer = client.get(f"{PREFIX}/leads", headers={"Authorization": "Bearer rk_a_b"})

        assert (answer.status_code, answer.mimetype) == (503, PROBLEM)
        assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200

    def test_a_body_over_the_limit_is_refused(self, api: Caller) -> None:
        answer = api.call(
            "POST", "/leads", data=b" " * (1024 * 1024 + 1), content_type="application/json"
        )

        assert (answer.status_code, answer.mimetype) == (413, PROBLEM)

    def test_a_body_over_the_limit_is_refused_in_chunks_too(self, api: Caller) -> None:
        answer = api.call(
            "POST", "/leads", input_stream=BytesIO(b" " * (1024 * 1024 + 1)),
            content_type="application/json", environ_overrides={"wsgi.input_terminated": True},
        )  # fmt: skip

        assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


class TestHeaders:
    def test_a_harmless_request_id_is_returned_and_others_are_replaced(
        self, client: FlaskClient
    ) -> None:
        kept = client.get("/livez", headers={"X-Request-ID": "abc-123"})
        replaced = client.get("/livez", headers={"X-Request-ID": "a b<script>"})

        assert kept.headers["X-Request-ID"] == "abc-123"
        assert re.fullmatch(r"[0-9a-f]{32}", replaced.headers["X-Request-ID"])

    @pytest.mark.parametrize(
        "path", ["/livez", "/api/nowhere", "/api/openapi.json", "/api/v1/leads"]
    )
    def test_answers_are_neither_stored_nor_sniffed_nor_framed(
        self, client: FlaskClient, path: str
    ) -> None:
        headers = client.get(path).headers

        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


class TestPages:
    @pytest.mark.parametrize(("sort", "backwards"), [("id", False), ("-created_at", True)])
    def test_pages_hold_everything_once_in_order(
        self, api: Caller, sort: str, backwards: bool
    ) -> None:
        made = [api.create("/programs", name=f"P{number}")["id"] for number in range(5)]
        found: list[str] = []
        path, pages = f"/programs?limit=2&sort={sort}", 0
        while path:
            answer = api.call("GET", path)
            found += [item["id"] for item in answer.get_json()["data"]]
            link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
            path, pages = link[1].removeprefix(PREFIX) if link else "", pages + 1

        assert (found, pages) == (made[::-1] if backwards else made, 3)

    def test_a_full_last_page_has_no_next(self, api: Caller) -> None:
        api.create("/programs", name="only")

        assert api.get("/programs", limit=1)["next_cursor"] is None

    def test_a_cursor_is_good_for_its_own_list_and_order_only(self, api: Caller) -> None:
        for number in range(2):
            api.create("/programs", name=f"P{number}")
        cursor = api.get("/programs", limit=1)["next_cursor"]
        changed = ("B" if cursor[0] == "A" else "A") + cursor[1:]

        for path in (
            f"/partners?cursor={cursor}",
            f"/programs?sort=-id&cursor={cursor}",
            f"/programs?cursor={changed}",
        ):
            assert api.call("GET", path).status_code == 422, path
