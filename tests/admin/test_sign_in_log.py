"""What the log tells of people who come, and of those who should not: without what they typed."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from structlog.testing import capture_logs as capture_all

from rewards_service.accounts import lockout
from rewards_service.settings import Settings
from tests.admin.visitor import PASSWORD, Visitor, make_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def capture_logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Lines besides the one that each request has."""
    found: list[MutableMapping[str, Any]] = []
    with capture_all() as lines:
        yield found
    found += [line for line in lines if line["event"] != "request"]


class TestLog:
    def test_tells_who_came_in_from_where_and_went(
        self, app: Flask, settings: Settings, engine: Engine
    ) -> None:
        email = make_user(engine, settings)
        with capture_logs() as lines:
            person = Visitor(app, settings)
            person.sign_in(email)
            person.post("/logout")

        told = [(one["event"], one.get("address")) for one in lines]
        assert told == [("signed_in", "192.0.2.1"), ("signed_out", None)]

    def test_tells_failures_and_lockouts_without_names_and_passwords(
        self, app: Flask, settings: Settings, engine: Engine
    ) -> None:
        email, typed = make_user(engine, settings), "wrong horse battery staple"
        with capture_logs() as lines:
            for _ in range(lockout.MOST_BY_ACCOUNT):
                Visitor(app, settings).sign_in(email, typed)
            Visitor(app, settings).sign_in(email)

        failed = [one for one in lines if one["event"] == "sign_in_failed"]
        assert len(failed) == lockout.MOST_BY_ACCOUNT
        assert [one["locks"] for one in failed] == [False] * 4 + [True]
        assert len({one["account"] for one in lines}) == 1
        assert lines[-1]["event"] == "sign_in_locked_out"
        assert not any(word in str(lines) for word in (email, typed, PASSWORD))

    def test_tells_who_was_refused_a_page(
        self, app: Flask, settings: Settings, engine: Engine
    ) -> None:
        person = Visitor(app, settings)
        person.sign_in(make_user(engine, settings, "viewer"))
        with capture_logs() as lines:
            assert person.get("/users").status_code == 403
            assert person.post("/theme", token="made-up").status_code == 400

        assert [one["event"] for one in lines] == ["page_refused", "stale_page"]
        assert (lines[0]["role"], lines[0]["endpoint"]) == ("viewer", "users.list_users")

    def test_a_header_that_no_proxy_wrote_names_no_other_place(
        self, app: Flask, settings: Settings, engine: Engine
    ) -> None:
        """Or a guesser would be at another address each time."""
        email = make_user(engine, settings)
        with capture_logs() as lines:
            for number in range(2):
                person = Visitor(app, settings, "127.0.0.1", forwarded_for=f"192.0.2.{number}")
                person.sign_in(email, "wrong")

        assert {one["address"] for one in lines} == {"127.0.0.1"}


class TestSigningOut:
    def test_the_browser_forgets_what_it_kept(self, owner: Visitor) -> None:
        assert "Clear-Site-Data" not in owner.get("/").headers

        assert owner.post("/logout").headers["Clear-Site-Data"] == '"cache", "storage"'
