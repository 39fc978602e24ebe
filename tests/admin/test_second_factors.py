"""Codes of an app and recovery codes: after the password, each once."""

import re
import time
from typing import Any

import pytest
from flask import Flask, g
from flask_security import wan_deleted, wan_registered
from passlib.totp import TOTP
from sqlalchemy import Engine, select

from rewards_service.accounts import lockout
from rewards_service.accounts.user_models import User, UserSession
from rewards_service.audit.models import AuditEntry
from rewards_service.kit.db import transaction
from rewards_service.kit.web import current_session
from rewards_service.settings import Settings
from tests.admin.conftest import begin_app
from tests.admin.visitor import Visitor, make_user


@pytest.fixture
def email(engine: Engine, settings: Settings) -> str:
    return make_user(engine, settings)


class TestCodes:
    def test_the_password_alone_does_not_let_in(
        self, visitor: Visitor, email: str, key: str
    ) -> None:
        visitor.sign_in(email)

        assert not visitor.is_signed_in()
        assert visitor.post("/login/code", code=TOTP(key).generate().token).status_code == 302
        assert visitor.is_signed_in()

    def test_a_code_works_once(self, visitor: Visitor, email: str, key: str) -> None:
        code = TOTP(key).generate().token
        visitor.sign_in(email)
        visitor.post("/login/code", code=code)
        visitor.post("/logout")
        visitor.sign_in(email)
        visitor.post("/login/code", code=code)

        assert not visitor.is_signed_in()

    def test_guessing_is_locked_out(self, visitor: Visitor, email: str, key: str) -> None:
        visitor.sign_in(email)
        wrong = f"{(int(TOTP(key).generate().token) + 1) % 10**6:06}"
        for _ in range(lockout.MOST_BY_ACCOUNT):
            visitor.post("/login/code", code=wrong)
        answer = visitor.post("/login/code", code=TOTP(key).generate().token)

        assert "Too many attempts" in answer.text
        assert not visitor.is_signed_in()

    def test_the_key_is_kept_sealed(self, email: str, key: str, engine: Engine) -> None:
        with transaction(engine) as session:
            kept = session.scalars(select(User.tf_totp_secret).where(User.email == email)).one()

        assert kept
        assert key.replace("-", "") not in kept


class TestSettingUp:
    def test_it_signs_out_everywhere_else_and_so_does_its_end(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str, engine: Engine
    ) -> None:
        """Who has only the password must not be in when a second factor stands before it."""
        other = Visitor(app, settings)
        other.sign_in(email)
        visitor.sign_in(email)
        made, target = begin_app(visitor)
        visitor.post(target, code="000000")
        assert other.is_signed_in()
        codes = TOTP(made)
        visitor.post(target, code=codes.generate(time.time() - 30).token)
        assert (visitor.is_signed_in(), other.is_signed_in()) == (True, False)

        other.sign_in(email)
        other.post("/login/code", code=codes.generate().token)
        assert other.is_signed_in()
        visitor.post("/account/two-factor", setup="disable")
        assert (visitor.is_signed_in(), other.is_signed_in()) == (True, False)
        with transaction(engine) as session:
            deeds = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert deeds[-2:] == ["user.second_factor_set", "user.second_factor_removed"]

    @pytest.mark.parametrize("signal", [wan_registered, wan_deleted])
    def test_a_passkey_more_or_less_does_as_well(
        self, app: Flask, settings: Settings, visitor: Visitor, email: str, engine: Engine,
        signal: Any,
    ) -> None:  # fmt: skip
        other = Visitor(app, settings)
        other.sign_in(email)
        visitor.sign_in(email)
        with app.test_request_context("/"):
            session = current_session()
            g.user_session = session.scalars(
                select(UserSession).order_by(UserSession.id.desc()).limit(1)
            ).one()
            signal.send(app, user=session.get(User, g.user_session.user_id), name="key")
            session.commit()

        assert (visitor.is_signed_in(), other.is_signed_in()) == (True, False)


class TestRecoveryCodes:
    def test_each_lets_in_once_and_only_its_digest_is_kept(
        self, visitor: Visitor, email: str, key: str, engine: Engine
    ) -> None:
        visitor.sign_in(email)
        visitor.post("/login/code", code=TOTP(key).generate().token)
        page = visitor.post("/account/recovery-codes", generate_new_codes="yes").text
        codes = re.findall(r"<code>([0-9a-f-]{14})</code>", page)
        visitor.post("/logout")
        with transaction(engine) as session:
            kept = session.scalars(select(User.mf_recovery_codes).where(User.email == email)).one()
        entered = []
        for _ in range(2):
            visitor.sign_in(email)
            visitor.post("/login/recovery", code=codes[0])
            entered.append(visitor.is_signed_in())
            visitor.post("/logout")

        assert len(set(codes)) == 8
        assert not set(codes) & set(kept)
        assert entered == [True, False]
