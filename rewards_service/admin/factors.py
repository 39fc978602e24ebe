"""Second factors and passwords by our rules: what Flask-Security asks its own classes for."""

import base64
import io
from typing import Any
from urllib.parse import urlsplit

import flask_security
from flask import Flask
from flask_security.proxies import _datastore
from flask_security.totp import Totp
from flask_security.webauthn_util import WebauthnUtil
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from rewards_service.accounts import passwords
from rewards_service.audit.service import record
from rewards_service.kit import crypto
from rewards_service.kit.web import current_session, current_settings

_RECOVERY = "recovery_code"


class Passwords(flask_security.PasswordUtil):
    """What a new password must be; see `accounts.passwords`."""

    def validate(
        self, password: str, is_register: bool, **kwargs: Any
    ) -> tuple[list[str] | None, str]:
        normal = self.normalize(password)
        user = kwargs.get("user")
        why = passwords.problem(normal, getattr(user, "email", ""))
        return ([why] if why else None), normal


class OneTimeCodes(Totp):
    """Codes of an app: each works once; the picture needs no style."""

    def generate_qrcode(self, username: str, totp: str) -> str:
        import qrcode
        from qrcode.image.svg import SvgPathFillImage

        code = qrcode.make(
            self.get_totp_uri(username, totp), image_factory=SvgPathFillImage, border=2
        )
        with io.BytesIO() as file:
            code.save(file)
            return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"

    def get_last_counter(self, user: Any) -> int | None:
        found: int | None = user.totp_counter
        return found

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.totp_counter = tmatch.counter


class PasskeyRules(WebauthnUtil):
    """A passkey instead of a password proves the person too, by finger, face or PIN."""

    def origin(self) -> str:
        parts = urlsplit(current_settings().base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def authenticator_selection(self, user: Any, usage: str) -> AuthenticatorSelectionCriteria:
        alone = usage == "first"
        return AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED
            if alone
            else ResidentKeyRequirement.PREFERRED,
            user_verification=_verification(alone),
        )

    def user_verification(self, user: Any, usage: list[str]) -> UserVerificationRequirement:
        return _verification("first" in usage)


def _verification(alone: bool) -> UserVerificationRequirement:
    if alone:
        return UserVerificationRequirement.REQUIRED
    return UserVerificationRequirement.DISCOURAGED


class RecoveryCodes(flask_security.MfRecoveryCodesUtil):
    """Codes for the day the device is lost. Digests are kept: they are shown once."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

    def create_recovery_codes(self, user: Any) -> list[str]:
        security = flask_security.proxies._security
        codes: list[str] = security.totp_factory.generate_recovery_codes(8)
        _datastore.mf_set_recovery_codes(user, [_digest(code) for code in codes])
        about = ("user", user.id)
        record(current_session(), "user.recovery_codes_made", about, {}, f"user:{user.id}")
        return codes

    def get_recovery_codes(self, user: Any) -> list[str]:
        return []

    def check_recovery_code(self, user: Any, code: str) -> bool:
        return _digest(code) in (_datastore.mf_get_recovery_codes(user) or [])

    def delete_recovery_code(self, user: Any, code: str) -> bool:
        left = [kept for kept in user.mf_recovery_codes or [] if kept != _digest(code)]
        _datastore.mf_set_recovery_codes(user, left)
        return True


def _digest(code: str) -> str:
    plain = code.strip().lower().replace("-", "").encode()
    return crypto.digest(current_settings().secret_key, _RECOVERY, plain).hex()
