"""The page at /api/docs: complete, from this service alone, under a strict policy."""

import re

import pytest
from flask.testing import FlaskClient

from rewards_service.openapi.routes import FILES

OUTSIDE = re.compile(r"(?:src|href|url)\s*[=:(]\s*[\"']?(?:https?:)?//")


class TestPage:
    def test_it_loads_nothing_from_elsewhere_and_nothing_inline(self, bare: FlaskClient) -> None:
        page = bare.get("/api/docs")
        own = [
            page.text,
            *(bare.get(f"/api/docs/{name}").text for name in ("start.js", "page.css")),
        ]

        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert not any(OUTSIDE.search(text) for text in own)
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page.text)

    def test_its_policy_is_strict(self, bare: FlaskClient) -> None:
        for path in ("", "/start.js", "/swagger-ui.css"):
            policy = bare.get(f"/api/docs{path}").headers["Content-Security-Policy"]

            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy

    def test_all_that_it_names_is_there(self, bare: FlaskClient) -> None:
        named = re.findall(r'(?:src|href)="docs/([^"]+)"', bare.get("/api/docs").text)

        assert sorted(named) == sorted(FILES)
        assert {bare.get(f"/api/docs/{name}").status_code for name in named} == {200}

    @pytest.mark.parametrize("name", ["index.html", "vendor.toml", "..%2froutes.py", "LICENSE"])
    def test_nothing_else_is_handed_out(self, bare: FlaskClient, name: str) -> None:
        assert bare.get(f"/api/docs/{name}").status_code == 404

    def test_a_browser_keeps_what_has_not_changed(self, bare: FlaskClient) -> None:
        first = bare.get("/api/docs/swagger-ui-bundle.js")
        again = bare.get(
            "/api/docs/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["ETag"]}
        )

        assert (first.headers["Cache-Control"], again.status_code) == ("no-cache", 304)
