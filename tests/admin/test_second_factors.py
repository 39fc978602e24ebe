"""Codes of an app and recovery codes: after the password, each once."""

import re

import pytest
from passlib.totp import TOTP
from sqlalchemy import Engine, select

from rewards_service.accounts import lockout
from rewards_service.accounts.user_models import User
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
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
