"""Passwords and factors as people change them."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select, update

from rewards_service.accounts import lockout, users
from rewards_service.accounts.user_models import LoginFailures, User
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.test_guard import addresses, reachable
from tests.admin.visitor import PASSWORD, Visitor, make_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEW = "four other unrelated words"


@pytest.fixture
def email(engine: Engine, settings: Settings) -> str:
    return make_user(engine, settings)


def change(person: Visitor, old: str, new: str) -> None:
    person.post("/account/password", password=old, new_password=new, new_password_confirm=new)


class TestChange:
    def test_it_needs_the_old_one(self, visitor: Visitor, email: str) -> None:
        visitor.sign_in(email)
        change(visitor, "wrong horse battery staple", NEW)
        change(visitor, "", NEW)
        visitor.post("/logout")

        assert visitor.sign_in(email, NEW).status_code == 200
        assert visitor.sign_in(email).status_code == 302

    def test_the_one_of_now_cannot_be_guessed_there(
        self, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        """Nor does a new one that is too weak, or the same, count as a guess."""
        path, wish = "/account/password", {"new_password": NEW, "new_password_confirm": NEW}
        visitor.sign_in(email)
        for weak in (*["short"] * lockout.MOST_BY_ACCOUNT, PASSWORD):
            form = {"password": PASSWORD, "new_password": weak, "new_password_confirm": weak}
            assert visitor.post(path, **form).status_code == 200
        for _ in range(lockout.MOST_BY_ACCOUNT):
            wrong = visitor.post(path, password="wrong horse battery staple", **wish)
            assert "Invalid password" in wrong.text
        right = visitor.post(path, password=PASSWORD, **wish)

        assert (right.status_code, "Too many attempts" in right.text) == (200, True)
        with transaction(engine) as session:
            session.execute(update(LoginFailures).values(locked_until_at=utc_now()))
        assert visitor.post(path, password=PASSWORD, **wish).status_code == 302

    def test_it_is_compared_to_the_last_character(self, visitor: Visitor, email: str) -> None:
        """As it was typed: neither cut, nor folded, nor stripped."""
        long = "Four words and 64 characters: " + "and so on, " * 12 + "Ünd Ende "
        assert 64 < len(long) <= 200
        visitor.sign_in(email)
        change(visitor, PASSWORD, long)
        visitor.post("/logout")

        for other in (long[:-1], long.lower(), long.strip(), long[:72]):
            assert visitor.sign_in(email, other).status_code == 200, other
        assert visitor.sign_in(email, long).status_code == 302

    def test_one_longer_than_any_is_wrong_and_nothing_else(
        self, visitor: Visitor, email: str
    ) -> None:
        long = "9" * 100_000
        told = [visitor.sign_in(name, long) for name in (email, "nobody@people.example.com")]
        assert [answer.status_code for answer in told] == [200, 200]
        assert all("That is not right" in answer.text for answer in told)
        visitor.sign_in(email)
        wish = {"new_password": NEW, "new_password_confirm": NEW}
        for path in ("/account/verify", "/account/password"):
            answer = visitor.post(path, password=long, **wish)
            assert answer.status_code == 200
            assert "Invalid password" in answer.text

    def test_a_link_leaves_the_second_factor(
        self, visitor: Visitor, email: str, key: str, engine: Engine, settings: Settings
    ) -> None:
        with transaction(engine) as session:
            user = session.scalars(select(User).where(User.email == email)).one()
            link = users.make_link(session, settings, user, "cli")
        path = link.removeprefix(settings.base_url)
        assert visitor.post(path, password=NEW, again=NEW).status_code == 302

        answer = visitor.sign_in(email, NEW)

        assert not visitor.is_signed_in()
        assert "/login/" in answer.headers["Location"]

    def test_factors_are_changed_soon_after_signing_in_only(
        self, visitor: Visitor, email: str, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert app.config["SECURITY_FRESHNESS"] == timedelta(minutes=30)
        assert app.config["SECURITY_FRESHNESS_GRACE_PERIOD"] == timedelta(minutes=5)
        monkeypatch.setitem(app.config, "SECURITY_FRESHNESS", timedelta(microseconds=1))
        monkeypatch.setitem(app.config, "SECURITY_FRESHNESS_GRACE_PERIOD", timedelta(0))
        visitor.sign_in(email)

        for path in ("/account/two-factor", "/account/recovery-codes", "/account/passkeys"):
            for answer in (visitor.get(path), visitor.post(path)):
                assert answer.status_code == 302, path
                assert "/account/verify" in answer.headers["Location"]


class TestFields:
    def test_a_name_of_a_passkey_that_is_too_long_is_told_how_long_it_may_be(
        self, owner: Visitor
    ) -> None:
        answer = owner.post("/account/passkeys", name="x" * 65, usage="first")

        assert "At most 64 characters." in answer.text

    def test_fields_hide_what_is_typed_and_let_it_be_pasted(
        self, owner: Visitor, visitor: Visitor, engine: Engine, settings: Settings
    ) -> None:
        with transaction(engine) as session:
            user = session.scalars(select(User).order_by(User.id)).first()
            link = users.make_link(session, settings, user, "cli")
        pages = [visitor.get("/login"), visitor.get(link.removeprefix(settings.base_url)),
                 owner.get("/account/password"), owner.get("/account/verify")]  # fmt: skip
        for page in pages:
            fields = re.findall(r'<input[^>]*name="(?:\w*password\w*|again)"[^>]*>', page.text)

            assert fields != []
            for field in fields:
                assert 'type="password"' in field
                assert re.search(r'autocomplete="(?:current|new)-password"', field), field
                assert "onpaste" not in field


class TestPages:
    def test_every_page_lets_one_sign_out(self, app: Flask, enter: Enter) -> None:
        person, without = enter("owner"), []
        for method, rule, _endpoint in addresses(app):
            answer = person.get(reachable(rule)) if method == "GET" and "<" not in rule else None
            if answer is None or answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            if "<html" in answer.text and 'action="/logout"' not in answer.text:
                without.append(rule)

        assert without == []
