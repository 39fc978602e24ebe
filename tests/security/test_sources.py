"""What lies in the project, and what is served of it."""

import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
OWN_SCRIPTS = ROOT / "rewards_service" / "admin" / "static"
# Keys as their makers write them. Those of the documents and tests are too short, or say what
# they are.
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\brk_[a-z0-9]{8,}_[A-Za-z0-9_-]{20,}|\bwhsec_[A-Za-z0-9+/]{24,}"
    r"|\b(?:live|test)_[A-Za-z0-9]{24,}|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}"
    r"|[a-z]+://[^\s/:@<]+:(?!password|secret|pw|\{|\.\.\.)[^\s/@<{]{12,}@"
)
# The examples of the API, made up.
EXAMPLES = {"rk_4zqsxdqv6b6nn_0c1f3b4a6d8f8f0a4f7a3c9f11", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


class TestSources:
    def test_no_secret_lies_in_them(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = []
        for name in listed.stdout.splitlines():
            path = ROOT / name
            if path.is_file() and path.stat().st_size < 1_000_000:
                text = path.read_bytes().decode(errors="replace")
                named = {one.group() for one in SECRETS.finditer(text)} - EXAMPLES
                found += [(name, one[:12]) for one in sorted(named)]

        assert found == []

    def test_browser_stores_hold_no_data(self) -> None:
        """What scripts of ours keep in the browser: how a page looks, never what it shows."""
        kept = set()
        for path in OWN_SCRIPTS.rglob("*.js"):
            if "vendor" not in path.parts:
                text = path.read_text()
                for name in re.findall(r"(?:local|session)Storage\.setItem\((\w+),", text):
                    kept |= set(re.findall(rf'const {name} = "([^"]+)"', text)) or {name}
                assert "indexedDB" not in text
                assert "document.cookie" not in text

        assert kept == {"single-keys"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestServed:
    def test_nothing_but_what_is_routed_is_there(self, app: Flask) -> None:
        client = app.test_client()
        for path in (
            "/.git/config", "/.git/HEAD", "/.env", "/.env.example", "/var/secret_key", "/wsgi.py",
            "/static/", "/static", "/static/../app.py", "/static/vendor/", "/api/docs/../app.py",
            "/static/%2e%2e/%2e%2e/settings.py", "/pyproject.toml", "/rewards_service/app.py",
        ):  # fmt: skip
            answer = client.get(path, headers={"Accept": "application/json"})

            assert answer.status_code in (302, 404), path
            assert b"import" not in answer.data

    def test_nothing_is_debugged(self, app: Flask) -> None:
        for name in ("DEBUG", "TESTING", "PROPAGATE_EXCEPTIONS", "TRAP_HTTP_EXCEPTIONS"):
            assert not app.config[name], name
        assert not app.jinja_env.auto_reload
