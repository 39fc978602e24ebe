"""Signing in: who is let in, for how long, and who is not."""

from datetime import timedelta
from urllib.parse import urlencode, urljoin

import pytest
from flask import Flask
from sqlalchemy import Engine, select, update

from rewards_service.accounts import lockout, sessions, users
from rewards_service.accounts.user_models import LoginFailures, User, UserLink, UserSession
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.visitor import PASSWORD, Visitor, make_user


@pytest.fixture
def email(engine: Engine, settings: Settings) -> str:
    return make_user(engine, settings)


def change(engine: Engine, table: type, **values: object) -> None:
    with transaction(engine) as session:
        session.execute(update(table).values(**values))


class TestFirstOwner:
    def test_a_link_makes_the_owner_and_works_once(
        self, visitor: Visitor, engine: Engine, settings: Settings
    ) -> None:
        with transaction(engine) as session:
            link = users.make_link(session, settings, None, "cli")
        path = link.removeprefix(settings.base_url)
        chosen = {"email": "Olga@Owner.Example.com", "password": PASSWORD, "again": PASSWORD}
        made = visitor.post(path, **chosen)
        again = visitor.post(path, **chosen)

        assert (made.status_code, made.headers["Location"]) == (302, "/login?next=/setup")
        assert again.status_code == 404
        assert "does not work any more" in again.text
        assert visitor.sign_in("olga@owner.example.com").status_code == 302
        assert visitor.get("/users").status_code == 200

    def test_it_ends_with_its_day_with_the_next_one_and_with_the_first_owner(
        self, visitor: Visitor, engine: Engine, settings: Settings
    ) -> None:
        with transaction(engine) as session:
            old = users.make_link(session, settings, None, "cli")
            new = users.make_link(session, settings, None, "cli")
        paths = [link.removeprefix(settings.base_url) for link in (old, new)]

        assert [visitor.get(path).status_code for path in paths] == [404, 200]
        change(engine, UserLink, expires_at=utc_now() - timedelta(seconds=1))
        assert visitor.get(paths[1]).status_code == 404
        change(engine, UserLink, expires_at=utc_now() + timedelta(hours=1), used_at=None)
        make_user(engine, settings)
        chosen = {"email": "eve@owner.example.com", "password": PASSWORD, "again": PASSWORD}
        assert visitor.post(paths[1], **chosen).status_code == 404

    @pytest.mark.parametrize(
        ("password", "why"),
        [("short", "at least 12"), ("passwordpassword", "easily guessed"), ("x" * 201, "at most")],
    )
    def test_a_weak_password_is_refused_with_the_reason(
        self, visitor: Visitor, engine: Engine, settings: Settings, password: str, why: str
    ) -> None:
        with transaction(engine) as session:
            path = users.make_link(session, settings, None, "cli").removeprefix(settings.base_url)
        answer = visitor.post(path, email="o@owner.example.com", password=password, again=password)

        assert answer.status_code == 422
        assert why in answer.text


class TestSignIn:
    def test_who_is_unknown_and_who_is_wrong_are_told_the_same(
        self, visitor: Visitor, email: str
    ) -> None:
        texts = {
            visitor.sign_in(name, "wrong horse battery staple").text.replace(name, "")
            .partition("alert-danger")[2].partition("</div></div>")[0]
            for name in (email, "nobody@people.example.com")
        }  # fmt: skip

        assert len(texts) == 1
        assert "That is not right" in texts.pop()
        assert not visitor.is_signed_in()

    def test_the_cookie_is_for_this_site_only_and_for_no_script(
        self, visitor: Visitor, email: str
    ) -> None:
        cookie = visitor.sign_in(email).headers["Set-Cookie"]

        assert cookie.startswith("__Host-rewards=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))

    def test_each_time_is_a_session_of_its_own(
        self, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        for _ in range(2):
            visitor.sign_in(email)
            visitor.post("/logout")
        with transaction(engine) as session:
            rows = session.scalars(select(UserSession)).all()

        assert len({row.digest for row in rows}) == 2
        assert all(row.ended_at for row in rows)

    def test_signing_out_ends_it_also_for_whoever_kept_the_cookie(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str
    ) -> None:
        visitor.sign_in(email)
        thief = Visitor(app, settings)
        thief.take_cookie(visitor.cookie())

        assert thief.is_signed_in()
        visitor.post("/logout")
        assert not thief.is_signed_in()

    @pytest.mark.parametrize(
        ("name", "past"), [("last_seen_at", sessions.IDLE), ("created_at", sessions.LONGEST)]
    )
    def test_it_ends_when_idle_and_after_half_a_day(
        self, visitor: Visitor, email: str, engine: Engine, name: str, past: timedelta
    ) -> None:
        visitor.sign_in(email)
        change(engine, UserSession, **{name: utc_now() - past + timedelta(minutes=1)})
        assert visitor.is_signed_in()
        change(engine, UserSession, **{name: utc_now() - past})

        assert not visitor.is_signed_in()

    @pytest.mark.parametrize(
        "target",
        ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
    )
    def test_it_leads_to_no_other_site(self, visitor: Visitor, email: str, target: str) -> None:
        answers = [visitor.sign_in(email, next=target)]
        visitor.post("/logout")
        linked = {"email": email, "password": PASSWORD}
        answers.append(visitor.post(f"/login?{urlencode({'next': target})}", **linked))

        for answer in answers:  # the right password is never wrong for where it would have led
            assert answer.status_code == 302
            where = urljoin("https://rewards.example.com/login", answer.headers["Location"])
            assert where.startswith("https://rewards.example.com/")

    def test_who_sends_a_form_after_the_end_is_told_so_and_led_back_to_it(
        self, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        visitor.sign_in(email)
        token = visitor.token()
        change(engine, UserSession, ended_at=utc_now())
        answer = visitor.post("/leads", token=token, email="new@lead.example")

        assert answer.headers["Location"] == "/login"  # of the page that it came from: /
        assert "nothing was changed" in visitor.get("/login").text

    def test_who_was_closed_out_is_out_at_once(
        self, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        visitor.sign_in(email)
        change(engine, User, active=False)

        assert not visitor.is_signed_in()
        assert visitor.sign_in(email).status_code == 200
        assert not visitor.is_signed_in()


class TestLockout:
    def test_after_five_failures_the_right_password_waits_too(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        for _ in range(lockout.MOST_BY_ACCOUNT):
            last = visitor.sign_in(email, "wrong horse battery staple")
        assert "Too many attempts" in last.text
        assert "Too many attempts" in visitor.sign_in(email).text

        elsewhere = Visitor(app, settings, "192.0.2.2")
        assert elsewhere.sign_in(email).status_code == 302
        change(engine, LoginFailures, locked_until_at=utc_now())
        assert visitor.sign_in(email).status_code == 302

    def test_one_address_cannot_try_everybody(
        self, visitor: Visitor, email: str, engine: Engine, settings: Settings
    ) -> None:
        with transaction(engine) as session:
            for number in range(lockout.MOST_BY_ADDRESS):
                name = f"{number}@people.example.com"
                lockout.note_failure(session, settings.secret_key, name, "192.0.2.1")

        assert "Too many attempts" in visitor.sign_in(email).text

    def test_a_success_forgets_the_failures_before(self, visitor: Visitor, email: str) -> None:
        for _ in range(2):
            for _ in range(lockout.MOST_BY_ACCOUNT - 1):
                visitor.sign_in(email, "wrong horse battery staple")
            assert visitor.sign_in(email).status_code == 302
            visitor.post("/logout")


class TestChangePassword:
    def test_it_signs_out_everywhere_else(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str
    ) -> None:
        other, new = Visitor(app, settings), "four other unrelated words"
        other.sign_in(email)
        visitor.sign_in(email)
        visitor.post(
            "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
        )

        assert visitor.is_signed_in()
        assert not other.is_signed_in()
        assert other.sign_in(email).status_code == 200
        assert other.sign_in(email, new).status_code == 302

    def test_one_session_of_many_can_be_ended(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        other = Visitor(app, settings)
        other.sign_in(email)
        visitor.sign_in(email)
        with transaction(engine) as session:
            first = session.scalars(select(UserSession.id).order_by(UserSession.id)).first()
        stranger = Visitor(app, settings)
        stranger.sign_in(make_user(engine, settings))

        assert stranger.post("/account/sessions/end", session=str(first)).status_code == 404
        for odd in ("-1", "all", "9" * 30):
            assert visitor.post("/account/sessions/end", session=odd).status_code == 404
        assert other.is_signed_in()
        assert visitor.post("/account/sessions/end", session=str(first)).status_code == 302
        assert (visitor.is_signed_in(), other.is_signed_in()) == (True, False)
