"""Who may open what: from the application's own list of addresses, for every role."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rewards_service.accounts.permissions import OF_ROLE, PERMISSIONS, ROLES
from rewards_service.admin.pages import is_page, permission_of
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/admin.md"
TABLE = Path(__file__).with_name("roles.txt")
_ANY = {"token": "x" * 32, "user_id": "usr_0", "integration_id": "int_0", "event_id": "evt_0",
        "filename": "own/mark.svg"}  # fmt: skip


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Method, address and endpoint of every page."""
    return sorted(
        (method, rule.rule, rule.endpoint)
        for rule in app.url_map.iter_rules()
        if is_page(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def reachable(rule: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _ANY.get(found.group(1), "1"), rule)


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


class TestMatrix:
    def test_every_page_says_who_may_open_it_as_the_table_has_it(self, app: Flask) -> None:
        with app.app_context():
            lines = [
                f"{method} {rule} {permission_of(endpoint)}"
                for method, rule, endpoint in addresses(app)
            ]

        assert lines == TABLE.read_text().splitlines()

    def test_every_page_is_documented_with_it(self, app: Flask) -> None:
        text = DOCUMENT.read_text()
        missing = []
        with app.app_context():
            for method, rule, endpoint in addresses(app):
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)
                line = f"| `{method} {path}` | `{permission_of(endpoint)}` |"
                if endpoint.startswith("security."):
                    line = f"`{path.partition('/{')[0]}`"
                missing += [line] if line not in text and endpoint != "admin.static" else []

        assert missing == []

    @pytest.mark.parametrize("role", ROLES)
    def test_each_role_opens_what_it_may_and_nothing_else(
        self, app: Flask, enter: Enter, role: str
    ) -> None:
        person, wrong = enter(role), []
        token = person.token()
        with app.app_context():
            pages = [(*page, permission_of(page[2])) for page in addresses(app)]
        for method, rule, _endpoint, wanted in pages:
            if rule in ("/logout", "/login") or "sessions/end" in rule:
                continue  # ends the session
            path = reachable(rule)
            answer = person.get(path) if method == "GET" else person.post(path, token=token)
            allowed = wanted in ("public", "signed_in") or wanted in OF_ROLE[role]
            out = "/login" in answer.headers.get("Location", "")
            if (answer.status_code == 403) == allowed or answer.status_code >= 500 or out:
                wrong.append((method, rule, answer.status_code))

        assert wrong == []

    def test_strangers_are_led_to_the_sign_in(self, app: Flask, visitor: Visitor) -> None:
        token, wrong = visitor.token(), []
        with app.app_context():
            pages = [(*page, permission_of(page[2])) for page in addresses(app)]
        for method, rule, _endpoint, wanted in pages:
            if wanted == "public":
                continue
            path = reachable(rule)
            answer = visitor.get(path) if method == "GET" else visitor.post(path, token=token)
            if answer.status_code != 302 or not answer.headers["Location"].startswith("/login"):
                wrong.append((method, rule, answer.status_code))

        assert wrong == []

    def test_what_does_not_say_is_closed(self, enter: Enter, app: Flask) -> None:
        with app.app_context():
            assert permission_of("operations.livez") is None
        assert {name for granted in OF_ROLE.values() for name in granted} == PERMISSIONS


class TestTokens:
    def test_every_unsafe_address_wants_one(self, app: Flask, enter: Enter) -> None:
        person, wrong = enter("owner"), []
        for method, rule, _endpoint in addresses(app):
            if method == "GET":
                continue
            answer = person.post(reachable(rule), token="made-up")
            if answer.status_code != 400 or "open for too long" not in answer.text:
                wrong.append((rule, answer.status_code))

        assert wrong == []
        assert person.is_signed_in()


class TestHeaders:
    def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(self, owner: Visitor) -> None:
        for path in ("/", "/setup", "/users", "/account", "/nowhere"):
            answer = owner.get(path)
            policy = answer.headers["Content-Security-Policy"]

            assert policy.startswith("default-src 'self'; ")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)
            assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"

    def test_files_stay_with_the_browser_until_they_change(self, owner: Visitor) -> None:
        named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', owner.get("/").text))

        assert len(named) >= 6
        for path in named:
            answer = owner.get(path)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]


class TestErrors:
    def test_people_get_a_page_and_programs_a_problem(
        self, owner: Visitor, client: FlaskClient
    ) -> None:
        page = owner.get("/nowhere")
        problem = client.get("/nowhere", headers={"Accept": "application/json"})
        below_api = client.get("/api/v1/nowhere", headers={"Accept": "text/html"})

        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert "There is no such thing" in page.text
        assert problem.mimetype == below_api.mimetype == "application/problem+json"

    def test_the_api_knows_no_cookies(self, client: FlaskClient) -> None:
        answer = client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})

        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
