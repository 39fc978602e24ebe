"""What browsers are told, with every answer of every door."""

import pytest
from flask import Flask

from tests.builders.api import Caller

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATHS = ("/login", "/nowhere", "/api/openapi.json", "/api/docs", "/api/v1/me", "/livez", "/metrics",
         "/webhooks/chargebee/nobody", "/api/v1/nowhere")  # fmt: skip


class TestEveryAnswer:
    def test_keeps_to_tls_to_its_type_and_out_of_frames(self, app: Flask) -> None:
        client = app.test_client()
        for path in PATHS:
            for method in ("GET", "POST", "PUT"):
                headers = client.open(path, method=method).headers

                assert headers["Strict-Transport-Security"].startswith("max-age=31536000"), path
                assert "includeSubDomains" in headers["Strict-Transport-Security"]
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
                assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
                assert "Access-Control-Allow-Origin" not in headers
                assert headers.get("Content-Type", "application/json") != "text/html", path

    def test_is_not_kept_by_anybody_when_it_holds_data(self, api: Caller) -> None:
        for path in ("/leads", "/partners", "/me"):
            assert api.call("GET", path).headers["Cache-Control"] == "no-store"

    def test_no_answer_traces_or_names_what_serves_it(self, app: Flask, api: Caller) -> None:
        key = {"Authorization": f"Bearer {api.key}"}
        for path in ("/", "/login", "/api/v1/me", "/livez"):
            answer = app.test_client().open(path, method="TRACE", headers=key)

            assert answer.status_code == 405, path
            assert "Server" not in answer.headers


class TestParameters:
    def test_one_that_is_given_twice_is_refused(self, api: Caller) -> None:
        """Neither the first nor the last is taken: a proxy may have looked at the other."""
        for query in ("limit=1&limit=2", "sort=id&sort=-id", "status=open&status=lost"):
            assert api.call("GET", f"/leads?{query}").status_code == 422, query
