"""Signing in: Flask-Security on our tables, under our rules, with our screens."""

from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, g, request, session
from flask_login import user_logged_out
from flask_security import (
    RoleMixin,
    Security,
    password_changed,
    tf_disabled,
    tf_profile_changed,
    user_authenticated,
    wan_deleted,
    wan_registered,
)
from flask_security.datastore import FSQLALiteUserDatastore
from flask_security.proxies import _security
from flask_security.utils import set_request_attr
from flask_wtf.csrf import CSRFProtect

from rewards_service.accounts import lockout, passwords, sessions
from rewards_service.accounts.user_models import Passkey, User
from rewards_service.admin import forms
from rewards_service.admin.factors import OneTimeCodes, PasskeyRules, Passwords, RecoveryCodes
from rewards_service.admin.pages import address
from rewards_service.audit.service import record
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db
from rewards_service.kit.web import current_session, current_settings
from rewards_service.settings import Settings

log = structlog.get_logger()

COOKIE_KEY = "sid"  # what the signed cookie calls the session's token
_BY_KEY = "by"  # and how its holder came in
_ENOUGH = ("oidc", "webauthn")  # two factors of their own, or the provider's affair
_TEMPLATES = {
    "LOGIN_USER": "login", "VERIFY": "verify", "CHANGE_PASSWORD": "password",
    "TWO_FACTOR_SETUP": "two_factor", "TWO_FACTOR_VERIFY_CODE": "code",
    "TWO_FACTOR_SELECT": "select", "MULTI_FACTOR_RECOVERY": "recovery",
    "MULTI_FACTOR_RECOVERY_CODES": "recovery_codes", "WAN_REGISTER": "passkeys",
    "WAN_SIGNIN": "passkey_login", "WAN_VERIFY": "passkey_verify", "LOGOUT_USER": "logout",
}  # fmt: skip
_URLS = {
    "LOGIN": "/login", "LOGOUT": "/logout", "VERIFY": "/account/verify",
    "CHANGE": "/account/password", "TWO_FACTOR_SETUP": "/account/two-factor",
    "TWO_FACTOR_TOKEN_VALIDATION": "/login/code", "TWO_FACTOR_RESCUE": "/login/rescue",
    "TWO_FACTOR_SELECT": "/login/select", "MULTI_FACTOR_RECOVERY": "/login/recovery",
    "MULTI_FACTOR_RECOVERY_CODES": "/account/recovery-codes", "WAN_REGISTER": "/account/passkeys",
    "WAN_SIGNIN": "/login/passkey", "WAN_DELETE": "/account/passkeys/delete",
    "WAN_VERIFY": "/account/verify/passkey",
}  # fmt: skip
csrf = CSRFProtect()


def init_app(app: Flask, settings: Settings) -> None:
    """Let people sign in to `app`."""
    app.config.update(_config(settings))
    csrf.init_app(app)
    store = FSQLALiteUserDatastore(db, User, RoleMixin, Passkey)  # roles are a column of ours
    security = Security(
        app, store,
        login_form=forms.LoginForm, verify_form=forms.VerifyForm,
        change_password_form=forms.ChangePasswordForm,
        two_factor_verify_code_form=forms.CodeForm, mf_recovery_form=forms.RecoveryForm,
        password_util_cls=Passwords, totp_cls=OneTimeCodes, webauthn_util_cls=PasskeyRules,
        mf_recovery_codes_util_cls=RecoveryCodes,
    )  # fmt: skip
    security.pwd_context = passwords.context(settings.argon2_memory_kib)
    security.want_json(lambda _request: False)
    security.login_manager.user_loader(_load_user)
    security.login_manager.request_loader(lambda _request: None)  # no tokens but API keys
    _without_what_we_never_use(app, security)
    user_authenticated.connect(_begin, app)
    password_changed.connect(_note_password, app)
    user_logged_out.connect(_end, app)
    for signal, deed in _FACTORS:
        signal.connect(deed, app)


# What Flask-Security would say in other words than these pages do.
_SAID = {
    "GENERIC_AUTHN_FAILED": ("That is not right. Check the e-mail address and the password.",
                             "error"),
    "TWO_FACTOR_PERMISSION_DENIED": ("Sign in with your password first.", "error"),
    "TWO_FACTOR_INVALID_TOKEN": ("This code is wrong or over. Type the one that is shown now.",
                                 "error"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": ("You are signed in.", "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": ("The authenticator app is set up.", "success"),
    "TWO_FACTOR_DISABLED": ("The authenticator app is switched off.", "success"),
    "INVALID_RECOVERY_CODE": ("This is none of your recovery codes, or it was used.", "error"),
    "PASSWORD_CHANGE": ("Your password is changed.", "success"),
    "LOGIN": ("Sign in to see this page.", "info"),
    "UNAUTHENTICATED": ("Sign in to see this page.", "error"),
    "REAUTHENTICATION_SUCCESSFUL": ("Thank you, go on.", "info"),
}  # fmt: skip


def _config(settings: Settings) -> dict[str, Any]:
    secure = settings.base_url.startswith("https://")
    wallet = crypto.digest(settings.secret_key, "totp", b"wallet").hex()
    return {
        "SECRET_KEY": crypto.digest(settings.secret_key, "cookies", b"signing").hex(),
        # The prefix makes browsers refuse the cookie of a sub-domain or of plain http.
        "SESSION_COOKIE_NAME": "__Host-rewards" if secure else "rewards",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": sessions.LONGEST,
        "SESSION_REFRESH_EACH_REQUEST": False,
        "WTF_CSRF_CHECK_DEFAULT": False,  # the guard checks every unsafe request for a page
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_SALT": "unused",  # argon2 salts each hash itself
        "SECURITY_PASSWORD_LENGTH_MIN": passwords.SHORTEST,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
        "SECURITY_POST_CHANGE_VIEW": "/account",
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account",
        "SECURITY_TOTP_SECRETS": {1: wallet},
        "SECURITY_TOTP_ISSUER": "Rewards",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "SECURITY_WEBAUTHN": True,
        "SECURITY_WAN_RP_NAME": "Rewards",
        "SECURITY_WAN_ALLOW_USER_HINTS": False,
        # Theirs does not say the length: it has a "%(length)" without its letter.
        "SECURITY_MSG_INVALID_INPUT_LENGTH": ("At most %(length)s characters.", "error"),
        "SECURITY_FRESHNESS": timedelta(minutes=30),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(minutes=5),
        "SECURITY_DATETIME_FACTORY": utc_now,
        "SECURITY_STATIC_FOLDER": None,
        **{f"SECURITY_{name}_TEMPLATE": f"admin/account/{file}.html"
           for name, file in _TEMPLATES.items()},
        **{f"SECURITY_{name}_URL": url for name, url in _URLS.items()},
        **{f"SECURITY_MSG_{name}": told for name, told in _SAID.items()},
    }  # fmt: skip


def _without_what_we_never_use(app: Flask, security: Security) -> None:
    """Hooks for permissions and lasting logins that would open the cookie of every API request."""
    befores, afters = app.before_request_funcs[None], app.after_request_funcs[None]
    befores.remove(security.principal._on_before_request)
    afters.remove(security.login_manager._update_remember_cookie)


def _load_user(user_id: str) -> User | None:
    """Who a cookie stands for: only while its session lives."""
    token = session.get(COOKIE_KEY)
    if not isinstance(token, str):
        return None
    found = sessions.find_live(current_session(), current_settings().secret_key, token)
    if found is None or found[1].fs_uniquifier != user_id:
        return None
    g.user_session, user = found
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    return user


def _begin(_app: Flask, user: User, authn_via: list[str] | None = None, **_more: Any) -> None:
    """Every sign-in is a session of its own, under a token that was never seen before."""
    own, key = current_session(), current_settings().secret_key
    if "change" in (authn_via or ()):
        sessions.end_all(own, user.id)
    else:
        session[_BY_KEY] = list(authn_via or ())
    if (old := g.get("user_session")) is not None:
        old.ended_at = old.ended_at or utc_now()
    lockout.forget(own, key, user.email, address())
    lockout.forget_old(own)
    session[COOKIE_KEY] = sessions.begin(
        own, key, user, address(), request.headers.get("User-Agent")
    )
    session.permanent = True
    log.info("signed_in", user=user.id, by=authn_via, address=address())


def lacks_factor(user: User) -> bool:
    """Whether whoever is signed in proved no more than a password, and can prove no more."""
    if any(way in _ENOUGH for way in session.get(_BY_KEY, ())):
        return False
    return not _security.two_factor_plugins.get_setup_tf_methods(user)


def _note_password(_app: Flask, user: User, **_more: Any) -> None:
    record(current_session(), "user.password_set", ("user", user.id), {}, f"user:{user.id}")


def _note_factor(_app: Flask, user: User, **_more: Any) -> None:
    _end_others(user, "user.second_factor_set")


def _note_factor_removed(_app: Flask, user: User, **_more: Any) -> None:
    _end_others(user, "user.second_factor_removed")


_FACTORS = (
    (tf_profile_changed, _note_factor), (wan_registered, _note_factor),
    (tf_disabled, _note_factor_removed), (wan_deleted, _note_factor_removed),
)  # fmt: skip


def _end_others(user: User, action: str) -> None:
    """Whoever is in elsewhere came in without the factor that is new, or by one that is gone."""
    own = current_session()
    sessions.end_all(own, user.id, but=g.user_session.id)
    record(own, action, ("user", user.id), {}, f"user:{user.id}")


def _end(_app: Flask, **_more: Any) -> None:
    session.pop(COOKIE_KEY, None)
    session.pop(_BY_KEY, None)
    g.has_signed_out = True
    row = g.get("user_session")
    if row is not None:
        row.ended_at = row.ended_at or utc_now()
        log.info("signed_out", user=row.user_id)
