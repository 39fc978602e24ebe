"""Where a second factor is demanded, a password alone opens one's own account and nothing else."""

from dataclasses import replace

import pytest
from flask import Flask
from passlib.totp import TOTP
from sqlalchemy import Engine

from rewards_service.admin.pages import permission_of
from rewards_service.admin.security import lacks_factor
from rewards_service.settings import Settings
from tests.admin.test_guard import addresses, reachable
from tests.admin.visitor import Visitor, make_user

SET_UP = "/account/two-factor"
OWN = ("security.", "account.")  # how one signs in, and one's own account


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, require_second_factor=True)


@pytest.fixture
def email(engine: Engine, settings: Settings) -> str:
    return make_user(engine, settings)


class TestDemanded:
    def test_a_password_alone_opens_the_own_account_only(
        self, visitor: Visitor, email: str
    ) -> None:
        visitor.sign_in(email)

        for path in ("/", "/rewards", "/users", "/search?q=a"):
            answer = visitor.get(path)
            assert (answer.status_code, answer.location) == (302, SET_UP), path
        assert visitor.post("/programs/new", name="x", timezone="UTC").location == SET_UP
        part = visitor.get("/rewards", **{"HX-Request": "true"})
        assert (part.status_code, part.headers["HX-Redirect"]) == (204, SET_UP)
        assert "needs a second factor" in visitor.get(SET_UP).text
        assert visitor.get("/account").status_code == 200

    def test_there_is_no_page_that_opens_all_the_same(
        self, app: Flask, visitor: Visitor, email: str
    ) -> None:
        visitor.sign_in(email)
        token, open_ones = visitor.token(), set()
        with app.app_context():
            pages = [
                page for page in addresses(app)
                if permission_of(page[2]) != "public" and not page[2].startswith(OWN)
            ]  # fmt: skip
        for method, rule, _endpoint in pages:
            path = reachable(rule)
            answer = visitor.get(path) if method == "GET" else visitor.post(path, token=token)
            if answer.location != SET_UP:
                open_ones.add((method, rule))

        assert len(pages) > 150
        assert open_ones == set()

    def test_with_an_app_everything_opens_and_without_it_again_nothing(
        self, visitor: Visitor, email: str, key: str
    ) -> None:
        visitor.sign_in(email)
        visitor.post("/login/code", code=TOTP(key).generate().token)
        assert visitor.get("/rewards").status_code == 200

        visitor.post(SET_UP, setup="disable")

        assert visitor.get("/rewards").location == SET_UP

    @pytest.mark.parametrize(
        ("ways", "lacks"),
        [(["password"], True), (["oidc"], False), (["webauthn"], False), ([], True)],
    )
    def test_a_passkey_and_a_provider_are_enough(
        self, app: Flask, ways: list[str], lacks: bool
    ) -> None:
        from flask import session

        from rewards_service.accounts.user_models import User

        with app.test_request_context("/"):
            session["by"] = ways
            assert lacks_factor(User(email="a@people.example.com")) is lacks
